"""What people see: the panel at ``/ui``, and at ``/about`` what runs here and how to use it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from tornado.web import HTTPError, RequestHandler
from voila.request_info_handler import RequestInfoSocketHandler
from voila.tornado.handler import TornadoVoilaHandler

from hybrid_transcribe._version import __version__
from hybrid_transcribe.errors import NoToken
from hybrid_transcribe.messages import DEFAULT_LANGUAGE, catalogue, languages, preferred_language
from hybrid_transcribe.rest.access import Role
from hybrid_transcribe.rest.base_handler import TellsMethods
from hybrid_transcribe.rest.hosts.kernels import NOTEBOOK
from hybrid_transcribe.rest.hosts.serve_config import ServeConfig

if TYPE_CHECKING:
    from voila.app import Voila


#: The page's own template of Voila.
TEMPLATE = Path(__file__).parent / "ui" / "template"
TEMPLATE_NAME = "hybrid_transcribe"


_POLICY = "default-src 'none'; style-src {}; base-uri 'none'; frame-ancestors 'self'"

#: The panel is loaded from a blob, as notebooks do it, and shows and saves blobs. Of the page
#: that `voila` alone serves it is in ``policy.txt``, which has to be what `panel_policy` gives.
_PANEL_POLICY = (
    "default-src 'none'; script-src {script} blob:; style-src {style}; connect-src 'self' blob:; "
    "img-src data: blob:; media-src blob:; base-uri 'none'; form-action 'none'"
)

#: Why there is no page, by status.
_REASONS = {int(HTTPStatus.SERVICE_UNAVAILABLE): "full", int(HTTPStatus.FORBIDDEN): "foreign"}


def pages(plan: ServeConfig, voila: Voila) -> list[tuple[Any, ...]]:
    """The rules for ``/ui`` and ``/about``."""
    base = re.escape(plan.base_url)
    fields = {
        "plan": plan,
        "notebook_path": NOTEBOOK.name,
        "template_paths": voila.template_paths,
        "config": voila.config,
        "voila_configuration": voila.voila_configuration,
    }
    return [(rf"{base}/ui/?", PanelPage, fields), (rf"{base}/about/?", WelcomePage, {"plan": plan})]


class PanelPage(TellsMethods, TornadoVoilaHandler):  # type: ignore[misc]
    """The notebook's page, with a kernel of its own behind it. For everybody."""

    template = "/ui"

    def initialize(self, plan: ServeConfig, **named: Any) -> None:
        """Called by Tornado with the route's arguments."""
        self._plan = plan
        super().initialize(**named)

    def prepare(self) -> Any:
        """Raises HTTPError for what another site asks for, and where no more pages may be."""
        if is_foreign(self.request.headers):
            raise HTTPError(HTTPStatus.FORBIDDEN)
        if self.kernel_manager.n_pages() >= self._plan.max_pages:
            raise HTTPError(HTTPStatus.SERVICE_UNAVAILABLE)
        self.kernel_manager.begin_page(self)
        # Kernels are told the address of their page: not the secrets in it.
        self.request.uri, self.request.query = self.request.path, ""
        return super().prepare()

    def on_finish(self) -> None:
        """Its kernel counts by itself now, if it got one."""
        self.kernel_manager.end_page(self)
        super().on_finish()

    async def get(self, path: str | None = None) -> None:
        """The page, as it is made."""
        # Sets the cookie without which a closed page cannot say that its kernel may go.
        self.xsrf_token  # noqa: B018
        await TornadoVoilaHandler.get(self, None)
        # Kept for a kernel that would ask for its page's request; ours never does.
        RequestInfoSocketHandler._cache.clear()

    def head(self, path: str | None = None) -> None:
        """That there is a page; no kernel is started for it."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish()

    @property
    def content_security_policy(self) -> str:
        """Its own script and style and no others; the panel comes over the page's line."""
        return f"{panel_policy()}; frame-ancestors 'self'"

    def set_default_headers(self) -> None:
        """As for every page of ours."""
        super().set_default_headers()
        _careful(self)

    def write_error(self, status_code: int, **named: Any) -> None:
        """A page that says that there is none."""
        if status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            self.set_header("Retry-After", "60")
        language = preferred(self.request.headers.get("Accept-Language", ""))
        words = _words(language, "page.")
        reason = _REASONS.get(status_code, "failed")
        title, hint = reason, f"{reason}_hint"
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(
            Template(_text("no_page.html")).substitute(
                language=language,
                style=_text("page.css"),
                title=html.escape(words[title]),
                hint=html.escape(words[hint]),
                link=self._link(words["open"]) if reason == "foreign" else "",
            )
        )

    def _link(self, text: str) -> str:
        """To this page, for a person to follow."""
        address = html.escape(f"{self._plan.base_url}/ui")
        return f'<p><a href="{address}">{html.escape(text)}</a></p>'


def panel_policy() -> str:
    """What the panel's page may load and run; who may frame it, only a header can say."""
    return _PANEL_POLICY.format(script=_hash("page.bundle.js"), style=_hash("page.css"))


def made_files() -> dict[str, str]:
    """Files of the template that are made of others: name to text.

    The policy is for `voila` alone. The page's words come from the catalogues; until its script
    runs they stand there in all languages.
    """
    words = {language: _words(language, "page.") for language in languages()}
    return {
        "policy.txt": f"{panel_policy()}\n",
        "words.json": f"{json.dumps(words, ensure_ascii=False, indent=1)}\n",
        "loading.html": (
            f'<p class="word" id="word">{_in_all(words, "loading", " · ")}</p>\n'
            f'<p id="hint">{_in_all(words, "hint", "<br>")}</p>\n'
            f'<noscript><p class="word">{_in_all(words, "no_script", " ")}</p></noscript>\n'
        ),
    }


def _in_all(words: Mapping[str, Mapping[str, str]], name: str, between: str) -> str:
    texts = ((language, html.escape(of_page[name])) for language, of_page in words.items())
    return between.join(f'<span lang="{language}">{text}</span>' for language, text in texts)


def write_made_files() -> None:
    """Write them: part of ``make build``."""
    for name, text in made_files().items():
        (TEMPLATE / name).write_text(text, encoding="utf-8")


def _careful(handler: RequestHandler) -> None:
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Referrer-Policy", "no-referrer")


@cache
def _text(name: str) -> str:
    """A part of the page, as Jinja includes it: without the last line's end."""
    return (TEMPLATE / name).read_text(encoding="utf-8").removesuffix("\n")


@cache
def _hash(name: str) -> str:
    return _sha256(_text(name))


def _sha256(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class WelcomePage(TellsMethods, RequestHandler):
    """For everybody. Whoever comes with the token gets links that have it, too."""

    template = "/about"

    def initialize(self, plan: ServeConfig) -> None:
        """Called by Tornado with the route's arguments."""
        self._plan = plan

    def get(self) -> None:
        """The page, in the language that the browser prefers."""
        self.set_header("Content-Security-Policy", _POLICY.format(_sha256(_text("about.css"))))
        _careful(self)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Vary", "Accept-Language")
        language = preferred(self.request.headers.get("Accept-Language", ""))
        self.finish(self._page(language))

    def _page(self, language: str) -> str:
        token = self._token_shown()
        words = {name: html.escape(text) for name, text in _words(language, "about.").items()}
        needs = f'<p class="dim">{words["needs"]}</p>'
        label = "&lt;token&gt;" if token is None else html.escape(token)
        return Template(_text("about.html")).substitute(
            words,
            language=language,
            style=_text("about.css"),
            base=self._plan.base_url,
            url=html.escape(f"{self.request.protocol}://{self.request.host}{self._plan.base_url}"),
            query="" if token is None else html.escape(f"?token={quote(token)}"),
            header=f" -H 'Authorization: token {label}'" if self._plan.token else "",
            needs=needs if self._plan.token and token is None else "",
            version=html.escape(f"hybrid_transcribe {__version__}"),
        )

    def _token_shown(self) -> str | None:
        """The server's token, where this request has it."""
        if self._plan.token is None:
            return None
        try:
            who = self._plan.access.check(
                {"Host": "localhost"}, self.get_query_argument("token", None)
            )
        except NoToken:
            return None
        return self._plan.token if who is Role.HOLDER else None


def preferred(accept_language: str) -> str:
    """The language with a catalogue that a browser likes best; English where there is none.

    >>> preferred("pt-BR,pt;q=0.9,en;q=0.8"), preferred("en;q=0.5,es;q=0.9"), preferred("fr")
    ('pt-BR', 'es', 'en')
    """
    weights: dict[str, float] = {}
    for item in accept_language.split(","):
        tag, _, weight = item.partition(";")
        match = re.fullmatch(r"\s*q=([01](?:\.\d{1,3})?)\s*", weight)
        weights.setdefault(tag.strip(), float(match[1]) if match else 1.0)
    return preferred_language(sorted(weights, key=lambda tag: -weights[tag]))


def _words(language: str, prefix: str) -> dict[str, str]:
    """The texts of a page, by the end of their codes."""
    texts = {**catalogue(DEFAULT_LANGUAGE), **catalogue(language)}
    return {
        code.removeprefix(prefix): str(text)
        for code, text in texts.items()
        if code.startswith(prefix)
    }


#: ``Sec-Fetch-Site`` of an address that was typed, a bookmark, or a link of this very server.
OWN_SITES = ("none", "same-origin")

#: What an answer to such a request is a page for.
_DOCUMENT = "document"


def is_foreign(headers: Mapping[str, str]) -> bool:
    """True for a request that a page of another origin made its reader's browser send.

    A page costs a process, so a site elsewhere must not have a visitor's browser ask for it: as an
    image, in a frame, by a script or by sending the browser there. Browsers say what a request is
    for (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/), but only to hosts that they trust:
    those of HTTPS and of the machine itself. Elsewhere ``Referer``, ``Origin`` and ``Accept`` say
    a part of it.

    A link that a person follows is the person's: browsers mark it with ``Sec-Fetch-User``.
    What sends no such headers, as programs do, is taken at its word.

    >>> is_foreign({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"})
    True
    >>> is_foreign({"Sec-Fetch-Site": "none"}), is_foreign({})
    (False, False)
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in OWN_SITES and not _is_followed_link(headers)
    return _is_of_another_host(headers) or not _takes_pages(headers.get("Accept"))


def _is_followed_link(headers: Mapping[str, str]) -> bool:
    return (
        headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") == _DOCUMENT
        and headers.get("Sec-Fetch-User") == "?1"
    )


def _is_of_another_host(headers: Mapping[str, str]) -> bool:
    """By where it says that it comes from, if it says so."""
    host = headers.get("Host", "").lower()
    named = [headers.get(name) for name in ("Origin", "Referer")]
    return any(urlsplit(address).netloc.lower() != host for address in named if address)


def _takes_pages(accept: str | None) -> bool:
    """False for what asks for an image, a style or a sound. Programs ask for anything."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in (accept or "*/*").split(",")]
    return "text/html" in kinds or kinds[0] == "*/*"
