"""Header values with parameters, as browsers, curl and libraries really write them.

``form-data; name="file"; filename="talk.m4a"``: the grammar is that of RFC 9110, 5.6.6.
Characters that cannot stand between quotes come in four ways: a backslash before them (RFC 822,
curl up to 7.80), ``%22 %0D %0A`` (WHATWG: browsers, newer curl, httpx), a second parameter
``filename*`` (RFC 8187, requests), or as they are, in UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

# A quoted value may lack its end: it then lasts as long as the header.
_PARAMETER = re.compile(r';[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.S)

# Browsers leave other backslashes as they are: they belong to the name.
_ESCAPED = re.compile(r'\\(["\\])')

# WHATWG escapes these three and no others, the percent sign neither.
_PERCENT = re.compile(r"%(22|0D|0A)", re.I)

# Those that RFC 8187 asks for, and its forerunner.
_CHARSETS = {"utf-8", "iso-8859-1"}


def parse(header: str) -> tuple[str, dict[str, str]]:
    r"""The value in lower case, and its parameters by name in lower case; the first one counts.

    >>> value, found = parse(r'form-data; name="a%22b"; filename="C:\temp\"x\".wav"')
    >>> print(value, found["name"], found["filename"])
    form-data a"b C:\temp"x".wav
    """
    value, _, _ = header.partition(";")
    mapping: dict[str, str] = {}
    for name, quoted, token in _PARAMETER.findall(header[len(value) :]):
        text = token.strip() or _PERCENT.sub(_percent, _ESCAPED.sub(r"\1", quoted))
        mapping.setdefault(name.lower(), text)
    return value.strip().lower(), mapping


def filename(parameters: Mapping[str, str]) -> str | None:
    """The file's name, or None without one: ``filename*`` where it can be read, as it says more.

    >>> filename({"filename": "reuni_o.wav", "filename*": "UTF-8''reuni%C3%A3o.wav"})
    'reunião.wav'
    """
    extended = _extended(parameters.get("filename*", ""))
    return parameters.get("filename") if extended is None else extended


def _percent(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))


def _extended(text: str) -> str | None:
    charset, _, rest = text.partition("'")
    _, quote, value = rest.partition("'")
    if not quote or charset.lower() not in _CHARSETS:
        return None
    try:
        return unquote_to_bytes(value).decode(charset)
    except UnicodeDecodeError:
        return None
