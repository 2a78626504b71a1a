"""Languages by their English names, as Whisper's own code and OpenAI write them."""

from __future__ import annotations

from hybrid_transcribe.jobs.languages import CODES

# The first name of each code is the English one, so it is set last.
_NAMES = {code: name for name, code in reversed(CODES.items())}


def english_name(code: str | None) -> str:
    """The name in lower case; the code itself where we know none, empty for None.

    >>> english_name("pt"), english_name("xx"), english_name(None)
    ('portuguese', 'xx', '')
    """
    return _NAMES.get(code or "", code or "")
