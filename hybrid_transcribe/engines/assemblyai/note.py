"""What has to survive a restart, so that nothing is uploaded, and billed, twice."""

from __future__ import annotations

import msgspec


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a recording is in the cloud. Holds no secret.

    ``request`` tells one set of options from another. ``failed``: that transcript will never
    come, so another attempt begins anew.
    """

    base_url: str
    request: str
    upload_url: str
    transcript_id: str | None = None
    failed: bool = False

    @property
    def text(self) -> str:
        """The note as JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str | None) -> Note | None:
        """The note in a text of ours; None for any other."""
        try:
            return msgspec.json.decode((text or "").encode(), type=cls)
        except msgspec.MsgspecError:
            return None
