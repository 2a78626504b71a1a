"""The panel as a widget: all it has is a line for messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget

from hybrid_transcribe.hud.bundle import css, esm


class Panel(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
    """The panel's widget. No state is synchronised: everything is said in messages.

    ``receive`` is called with each message of the browser and its buffers, ``on_close`` when
    the panel is closed on either side.
    """

    _esm = esm()
    _css = css()

    def __init__(
        self, receive: Callable[[Any, Sequence[Any]], None], on_close: Callable[[], None]
    ) -> None:
        super().__init__()
        self._receive, self._on_close = receive, on_close
        self.on_msg(self._heard)
        line = getattr(self, "comm", None)
        if line is not None and hasattr(line, "on_close"):
            line.on_close(lambda message: on_close())

    def _heard(self, widget: Any, content: Any, buffers: Sequence[Any]) -> None:
        self._receive(content, buffers)

    def tell(self, content: dict[str, Any], buffers: list[bytes] | None) -> None:
        """Send a message; from any thread."""
        self.send(content, buffers)

    def close(self) -> None:
        """Close the line. Twice is once."""
        # Also called by ipywidgets while it is being made or collected.
        on_close = getattr(self, "_on_close", None)
        if on_close is not None:
            on_close()
        super().close()
