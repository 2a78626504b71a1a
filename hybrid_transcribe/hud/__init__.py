"""What people see: one panel for JupyterLab, Colab and the page.

::

    from hybrid_transcribe import hud
    hud()

A recording's way here: the panel in the browser (`assets`) sends a file in chunks ─► `uploads`
─► Service ─► its events ─► `updater` (at most ten times a second) ─► `feed` and `view` (what a
snapshot looks like, pure) ─► the panel; `downloads` brings results back. `controller` is where its
messages arrive, `panel` the object people hold. `messages` is all that the two sides say to
each other, and `strings` all that a person reads, in English and Portuguese.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hybrid_transcribe.hud.panel import Hud
    from hybrid_transcribe.service_protocol import HostedService


class _CallableModule(ModuleType):
    """The panel: ``hud()`` shows the queue, takes recordings and gives their text.

    This module is what ``from hybrid_transcribe import hud`` gives, whatever was imported
    before, and it can be called.
    """

    def __call__(
        self,
        service: HostedService | str | None = None,
        *,
        session_id: str | None = None,
        remember: str = "kernel",
    ) -> Hud:
        """A panel to be shown as the last value of a cell.

        Args:
            service: None is this kernel's own service: jobs outlive the cell, and with a
                durable journal the kernel. ``"server"`` is that of the Jupyter server, where
                jobs outlive the kernel. Or a service of yours.
            session_id: only that session's jobs; None is the service's own, and all it owns.
            remember: ``"page"`` has each visitor's browser keep a session of its own.

        Raises InvalidRequest where no such service is.
        """
        # Notebook libraries are imported when there is something to show.
        from hybrid_transcribe.hud.panel import show

        return show(service, session_id=session_id, remember=remember)


sys.modules[__name__].__class__ = _CallableModule
