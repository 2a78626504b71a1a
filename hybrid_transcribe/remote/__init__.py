"""A service elsewhere, used like one in this process.

`service` is the door; `calls` asks and turns problems into our errors again, `sending` uploads
from disk, `streams` keeps up the connections that events come over.
"""

from __future__ import annotations

from hybrid_transcribe.remote.service import RemoteService, from_environment

__all__ = ["RemoteService", "from_environment"]
