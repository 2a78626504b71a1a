"""Events as event streams have them: written once for all streams that tell of them."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from hybrid_transcribe.events import Event
from hybrid_transcribe.wire import serialize
from hybrid_transcribe.wire.queue_text import on_one_line

#: Events whose text is kept for other streams: so many, and of at most so many bytes in all.
MOST_TEXTS, MOST_TEXT_BYTES = 2_000, 16 << 20


class EventTexts:
    """The texts of the newest events of one service, by number. Used on one loop."""

    def __init__(self) -> None:
        self._texts: OrderedDict[int, bytes] = OrderedDict()
        self._n_bytes = 0
        self.n_encoded = 0

    def of(self, event: Event) -> bytes:
        """An event with its number and name, its data on one line; empty for one of no interest.

        Told again after other events of other streams, it may be written anew.
        """
        text = self._texts.get(event.seq)
        if text is None:
            self.n_encoded += 1
            text = _written(event)
            self._keep(event.seq, text)
        return text

    def _keep(self, seq: int, text: bytes) -> None:
        self._texts[seq] = text
        self._n_bytes += len(text)
        while len(self._texts) > MOST_TEXTS or self._n_bytes > MOST_TEXT_BYTES:
            _, oldest = self._texts.popitem(last=False)
            self._n_bytes -= len(oldest)


def _written(event: Event) -> bytes:
    message = serialize.event(event)
    if message is None:
        return b""
    name, data = message
    line = on_one_line(msgspec.json.encode(data))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, name.encode(), line)
