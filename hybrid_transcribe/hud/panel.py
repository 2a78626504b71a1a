"""The panel in the hands of a person."""

from __future__ import annotations

import sys
from typing import Any

from hybrid_transcribe.api import default_service
from hybrid_transcribe.errors import HybridTranscribeError, InvalidOption
from hybrid_transcribe.hud import view
from hybrid_transcribe.hud.desk import KERNEL, Desk
from hybrid_transcribe.hud.server import server_service
from hybrid_transcribe.hud.widget import Panel

#: Names the service of the Jupyter server.
SERVER = "server"

#: The panel of each cell, to be replaced when that cell runs again.
_of_cell: dict[str, Hud] = {}


class Hud:
    """Upload recordings, watch the queue, read and fetch the text. Show it as a cell's last value.

    Several panels on one service show the same queue. Closing one stops no job. Where no
    widgets can be shown it is a plain table.

    Args:
        service: None for this kernel's own, ``"server"`` for that of the Jupyter server, or a
            service of yours.
        session_id: only that session's jobs; None is the service's own, and all it owns.
        remember: who keeps the session: ``"kernel"``, or ``"page"`` where visitors share a
            service and each one's browser remembers a session of its own.

    Raises InvalidRequest, InvalidOption, Unreachable.
    """

    def __init__(
        self, service: Any = None, *, session_id: str | None = None, remember: str = KERNEL
    ) -> None:
        self.service = _service(service)
        self._desk = Desk(self.service, self._tell, session_id=session_id, remember=remember)
        self.widget = Panel(self._desk.receive, self._desk.close)

    def _tell(self, content: dict[str, Any], buffers: list[bytes] | None) -> None:
        self.widget.tell(content, buffers)

    @property
    def session_id(self) -> str | None:
        """The session whose jobs are shown; None for all that the service owns."""
        return self._desk.session_id

    @property
    def closed(self) -> bool:
        """True after `close`, here or in the browser."""
        return self._desk.closed

    def close(self) -> None:
        """Take the panel away; jobs go on. Twice is once."""
        self._desk.close()
        self.widget.close()

    def __repr__(self) -> str:
        try:
            return view.table(self._desk.sheet())
        except HybridTranscribeError as error:
            return f"<Hud: {error}>"

    def _repr_mimebundle_(self, **how: Any) -> Any:
        shown = None if self.closed else self.widget._repr_mimebundle_(**how)
        if shown is None:
            return {"text/plain": repr(self)}
        # Either is allowed: the data, or the data with its metadata.
        data, *metadata = shown if isinstance(shown, tuple) else (shown,)
        data = {**data, "text/plain": repr(self)}
        return (data, *metadata) if metadata else data


def show(service: Any = None, *, session_id: str | None = None, remember: str = KERNEL) -> Hud:
    """A panel; that of an earlier run of the same cell is closed. Arguments as `Hud`."""
    made = Hud(service, session_id=session_id, remember=remember)
    cell = _cell_id()
    if cell is not None:
        before = _of_cell.get(cell)
        _of_cell[cell] = made
        if before is not None:
            before.close()
    return made


def _service(given: Any) -> Any:
    if given is None:
        return default_service()
    if isinstance(given, str):
        if given != SERVER:
            raise InvalidOption(f"service={given!r}; choose {SERVER!r}, a service, or leave it out")
        return server_service()
    return given


def _cell_id() -> str | None:
    """The cell that is running, as JupyterLab names it; None where nobody says."""
    # Without IPython nobody runs cells.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    try:
        found = shell.get_parent()["metadata"]["cellId"] if shell is not None else None
    except (AttributeError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
