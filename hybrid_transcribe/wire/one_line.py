"""JSON without what some readers of event streams take for the end of a line."""

from __future__ import annotations

#: Line ends of Unicode: legal in JSON, but many readers of event streams split lines there.
_LINE_ENDS = tuple((end.encode(), f"\\u{ord(end):04x}".encode()) for end in "\x85\u2028\u2029")


def on_one_line(text: bytes) -> bytes:
    """The same JSON without what some readers take for the end of a line."""
    for raw, escaped in _LINE_ENDS:
        if raw in text:
            text = text.replace(raw, escaped)
    return text
