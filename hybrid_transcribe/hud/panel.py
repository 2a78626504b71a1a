"""The panel in the hands of a person."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from typing import Any

from hybrid_transcribe.api import default_service
from hybrid_transcribe.errors import HybridTranscribeError, InvalidOption
from hybrid_transcribe.hud import view
from hybrid_transcribe.hud.controller import KERNEL, PanelController
from hybrid_transcribe.hud.server import server_service
from hybrid_transcribe.hud.widget import PanelWidget
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.service_protocol import HostedService

#: Names the service of the Jupyter server.
SERVER = "server"

#: Of each cell the execution that showed panels last, and those panels: a later one closes them.
_of_cell: dict[Hashable, tuple[str, list[Hud]]] = {}


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
        self,
        service: HostedService | str | None = None,
        *,
        session_id: str | None = None,
        remember: str = KERNEL,
    ) -> None:
        self.service = _service(service)
        self._desk = PanelController(
            self.service, self._tell, session_id=session_id, remember=remember
        )
        self.widget = PanelWidget(self._desk.receive, self._desk.close)

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

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        display_name = None if self.closed else self.widget._repr_mimebundle_(**kwargs)
        if display_name is None:
            return {"text/plain": repr(self)}
        # Either is allowed: the data, or the data with its metadata.
        data, *metadata = display_name if isinstance(display_name, tuple) else (display_name,)
        data = {**data, "text/plain": repr(self)}
        return (data, *metadata) if metadata else data


def show(
    service: HostedService | str | None = None,
    *,
    session_id: str | None = None,
    remember: str = KERNEL,
) -> Hud:
    """A panel; those of an earlier run of the same cell are closed. Arguments as `Hud`."""
    hud = Hud(service, session_id=session_id, remember=remember)
    execution, cell = _running()
    if execution is not None:
        # Not all hosts name their cells: there the same queue is taken for the same cell.
        _keep(hud, cell or (id(hud.service), session_id), execution)
    return hud


def _keep(hud: Hud, cell: Hashable, execution: str) -> None:
    """Note the panel, and close those that an earlier execution of its cell left."""
    shown_by, panels = _of_cell.get(cell, (execution, []))
    if shown_by == execution:
        _of_cell[cell] = (execution, [*panels, hud])
        return
    _of_cell[cell] = (execution, [hud])
    for panel in panels:
        panel.close()


def _service(value: HostedService | str | None) -> HostedService:
    if value is None:
        return default_service()
    if isinstance(value, str):
        if value != SERVER:
            raise InvalidOption(UserMessage("service_choice", value=value, server=SERVER))
        return server_service()
    return value


def _running() -> tuple[str | None, str | None]:
    """What is being executed, and JupyterLab's name of its cell; None for what nobody says."""
    # Without IPython nobody runs cells.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return None, None
    try:
        request = shell.get_parent()
        execution = request["header"]["msg_id"]
    except (AttributeError, KeyError, TypeError):
        return None, None
    cell = (request.get("metadata") or {}).get("cellId")
    return (_text(execution), _text(cell))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
