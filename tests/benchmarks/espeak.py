"""Speech with known word times, from espeak-ng's own events.

The library of espeak-ng is asked through its C interface (``speak_lib.h``): its callback gets the
samples together with events that say where in the sound each word and each phoneme begins.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from dataclasses import dataclass

import numpy as np

from hybrid_transcribe.types import Word
from tests.benchmarks.sounds import Samples

# Of speak_lib.h.
_AUDIO_OUTPUT_RETRIEVAL = 1
_PHONEME_EVENTS = 0x0001
_CHARACTERS_UTF8 = 1
_END_PAUSE = 0x1000
_LIST_TERMINATED, _WORD, _PHONEME = 0, 1, 7


class _Id(ctypes.Union):
    _fields_ = (
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True, slots=True)
class Speech:
    """Samples (float32, mono) at ``rate_hz``, and each word with its start and end in s."""

    samples: Samples
    rate_hz: int
    words: tuple[Word, ...]


def missing() -> str | None:
    """Why nothing can be spoken here; None where it can."""
    return None if ctypes.util.find_library("espeak-ng") else "libespeak-ng is not installed"


class Espeak:
    """The loaded library. One for each process: it has one state."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(ctypes.util.find_library("espeak-ng"))
        self.rate_hz = int(
            self._library.espeak_Initialize(_AUDIO_OUTPUT_RETRIEVAL, 0, None, _PHONEME_EVENTS)
        )
        if self.rate_hz <= 0:
            raise OSError("libespeak-ng finds no voices")

    def speak(self, text: str, voice: str = "en-us", words_per_minute: int = 160) -> Speech:
        """Speak a text of plain words with a voice such as ``pt-br`` or ``en-us+f3``."""
        blocks: list[Samples] = []
        events: list[tuple[int, int, int, int]] = []

        def receive(samples: object, n: int, found: object) -> int:
            if n > 0:
                block = np.ctypeslib.as_array(samples, shape=(n,))  # type: ignore[call-overload]
                blocks.append(block.astype(np.float32) / 32768)
            for i in range(1 << 20):
                event = found[i]  # type: ignore[index]
                if event.type == _LIST_TERMINATED:
                    return 0
                events.append((event.type, event.text_position, event.length, event.sample))
            return 0

        callback = _CALLBACK(receive)
        if self._library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self._library.espeak_SetParameter(1, words_per_minute, 0)
        self._library.espeak_SetSynthCallback(callback)
        encoded = text.encode()
        self._library.espeak_Synth(
            encoded, len(encoded) + 1, 0, 1, 0, _CHARACTERS_UTF8 | _END_PAUSE, None, None
        )
        self._library.espeak_Synchronize()
        samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        return Speech(samples, self.rate_hz, _words(text, events, len(samples), self.rate_hz))


def _words(
    text: str, events: list[tuple[int, int, int, int]], n_samples: int, rate_hz: int
) -> tuple[Word, ...]:
    """Each word from its event to the first event behind its own phonemes.

    A phoneme has its word's position in the text; a pause is a phoneme too, with another one.
    """
    marks = sorted({at for kind, _, _, at in events if kind in (_WORD, _PHONEME)} | {n_samples})
    words = []
    for kind, place, length, at in events:
        if kind != _WORD:
            continue
        own = [e[3] for e in events if e[0] == _PHONEME and e[1] == place and e[3] >= at]
        last = max(own, default=at)
        end = next((mark for mark in marks if mark > last), n_samples)
        # Positions count characters from 1.
        words.append(Word(at / rate_hz, end / rate_hz, text[place - 1 : place - 1 + length]))
    return tuple(words)
