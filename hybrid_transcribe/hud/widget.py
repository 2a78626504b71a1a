"""The panel as a widget: all it has is a line for messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget

from hybrid_transcribe.hud.assets import css, esm


def _as_addressed(content: Any, subshell_id: str | None) -> str | None:
    """Where a message of the browser is heard: on the subshell that it names.

    ipykernel 7.4 hands it to the one that spoke last on its line instead. We speak on threads:
    to it that is whichever subshell was heard last, on any line, and JupyterLab ends them. From
    then on it would throw away all that the browser says; before, it waits for cells.
    """
    return subshell_id


class PanelWidget(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
    """The panel's widget. No state is synchronised: everything is said in messages.

    ``receive`` is called with each message of the browser and its buffers, ``on_close`` when
    the panel is closed on either side.
    """

    _css = css()

    @property
    def _esm(self) -> str:
        # Read when a panel is made: plug-ins may have registered texts since the import.
        return esm()

    def __init__(
        self, receive: Callable[[Any, Sequence[Any]], None], on_close: Callable[[], None]
    ) -> None:
        super().__init__()
        self._receive, self._on_close = receive, on_close
        self.on_msg(self._on_message)
        line = getattr(self, "comm", None)
        if line is not None and hasattr(line, "on_close"):
            line.on_close(lambda message: on_close())
        if line is not None and hasattr(line, "_reply_subshell_for"):
            line._reply_subshell_for = _as_addressed

    def _on_message(self, widget: Any, content: Any, buffers: Sequence[Any]) -> None:
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
