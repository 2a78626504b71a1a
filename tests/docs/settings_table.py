"""The table of settings in the guide, made from `Settings` and its docstring.

::

    python -m tests.docs.settings_table     # writes it into the page
"""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from hybrid_transcribe.config import ALIASES, Settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "settings.md"

_BEGIN, _END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"

#: An entry of the docstring: names, a colon, and text that may go on in deeper lines.
_ENTRY = re.compile(r"^    ([a-z_]+(?:, [a-z_]+)*): (.*(?:\n {8}.*)*)", re.MULTILINE)

_BYTES = ((1024**3, "GiB"), (1024**2, "MiB"))
_SECONDS = ((3600, "h"), (60, "min"))


def descriptions() -> list[tuple[tuple[str, ...], str]]:
    """Names of settings that are described together, with what is said of them."""
    text = inspect.cleandoc(Settings.__doc__ or "").partition("Attributes:\n")[2]
    return [
        (tuple(names.split(", ")), " ".join(body.split())) for names, body in _ENTRY.findall(text)
    ]


def _default(name: str) -> str:
    (field,) = (f for f in fields(Settings) if f.name == name)
    value: Any = field.default_factory() if field.default is MISSING else field.default  # type: ignore[misc]
    if value in (None, "", {}):
        return "none"
    units = _BYTES if name.endswith("_bytes") else _SECONDS if name.endswith("_s") else ()
    for size, unit in units:
        if value >= size and value % size == 0:
            return f"{value:.0f} ({value // size:.0f} {unit})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def table() -> str:
    """The whole table in Markdown."""
    lines = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for names, text in descriptions():
        more = [f"`{ALIASES[name]}`" for name in names if name in ALIASES]
        also = f" Also the variable {', '.join(more)}." if more and more[0] not in text else ""
        meaning = re.sub("``", "`", text).replace("|", "\\|")
        lines.append(
            f"| {'<br>'.join(f'`{name}`' for name in names)}"
            f" | {'<br>'.join(map(_default, names))}"
            f" | {meaning[0].upper()}{meaning[1:]}{also} |"
        )
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    """A page with its table made anew."""
    before, _, rest = text.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{table()}\n{_END}{rest.partition(_END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
