"""openai-whisper's model with two things added: it can be interrupted within a window, and it
does not encode the same window twice.

Imports the model library, so it is imported only when a model is loaded.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
import numpy.typing as npt
import torch
import whisper
from whisper import audio, timing
from whisper.model import Conv1d, Linear, ModelDimensions
from whisper.tokenizer import LANGUAGES, get_tokenizer

from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted
from hybrid_transcribe.engines.openai_whisper.pieces import (
    WINDOW_FRAMES,
    WhisperWindow,
    WindowPiece,
    WindowWord,
)

#: Written beside a checkpoint that was converted: ``[[layer, head], …]`` for word times.
HEADS_FILE = "alignment_heads.json"


@dataclass(frozen=True, slots=True)
class Sound:
    """A clip as the model hears it.

    Attributes:
        mel: log-mel spectrogram, shape (n_mels, n_frames + 3000): 30 s of silence follow.
        n_frames: length of the clip, 100 a second.
    """

    mel: Any
    n_frames: int


class WhisperCheckpoint:
    """A loaded model, used by one thread at a time."""

    def __init__(self, whisper_model: Any, compute_type: str) -> None:
        self._whisper = whisper_model
        self._dtype = getattr(torch, compute_type)
        self._canceled: Callable[[], bool] = _never
        self._encoder = _Remembering(whisper_model.encoder)
        for block in (*whisper_model.encoder.blocks, *whisper_model.decoder.blocks):
            block.register_forward_pre_hook(self._ask)
        whisper_model.encoder = self._encoder
        with warnings.catch_warnings():
            # It leaves the file of its vocabulary to the garbage collector; once read, it is
            # kept.
            warnings.simplefilter("ignore", ResourceWarning)
            self.tokenizer("en", "transcribe")

    @property
    def supported_languages(self) -> list[str]:
        """Codes the tokenizer has a token for: only some models know Cantonese."""
        if not self._whisper.is_multilingual:
            return ["en"]
        return list(LANGUAGES)[: self._whisper.num_languages]

    @property
    def context(self) -> int:
        """Tokens that the decoder holds."""
        return int(self._whisper.dims.n_text_ctx)

    def count_tokens(self, text: str) -> int:
        """Of a text that goes before what is heard."""
        return len(self.tokenizer("en", "transcribe").encode(f" {text.strip()}"))

    def tokenizer(self, language: str, task: str) -> Any:
        """The library's tokenizer for a language and a task."""
        return get_tokenizer(
            self._whisper.is_multilingual,
            num_languages=self._whisper.num_languages,
            language=language,
            task=task,
        )

    @contextmanager
    def interruptible(self, canceled: Callable[[], bool]) -> Iterator[None]:
        """Within this, the next layer of the network raises Interrupted instead of computing.

        On a slow CPU a window of a large model takes minutes, one of its layers a second.
        """
        self._canceled = canceled
        try:
            yield
        finally:
            self._canceled = _never
            self._encoder.forget()

    def hear(self, samples: npt.NDArray[np.float32]) -> Sound:
        """The spectrogram of a clip, computed on the CPU as in ``whisper.transcribe``."""
        # torch warns of arrays that cannot be written to.
        writeable = np.require(samples, np.float32, "W")
        mel = audio.log_mel_spectrogram(
            torch.from_numpy(writeable), self._whisper.dims.n_mels, padding=audio.N_SAMPLES
        )
        return Sound(mel, int(mel.shape[-1]) - WINDOW_FRAMES)

    def detect_language(self, sound: Sound) -> tuple[str, float]:
        """The language of the first 30 s, and how likely it is (0..1)."""
        _, likely = self._whisper.detect_language(self._placed(sound.mel))
        code = max(likely, key=likely.__getitem__)
        return code, float(likely[code])

    def window(self, sound: Sound, window: WhisperWindow) -> Any:
        """A window's spectrogram on the model's device, padded to 30 s."""
        return self._placed(sound.mel[:, window.seek : window.seek + window.size])

    def decode(self, mel: Any, options: dict[str, Any]) -> Any:
        """The library's answer for one window; ``options`` are those of its DecodingOptions."""
        value = dict(options)
        if "suppress_tokens" in value:
            # The library adds to this very list.
            value["suppress_tokens"] = list(value["suppress_tokens"])
        half = self._dtype == torch.float16
        return self._whisper.decode(mel, whisper.DecodingOptions(**value, fp16=half))

    def time_words(
        self,
        pieces: list[WindowPiece],
        mel: Any,
        window: WhisperWindow,
        tokenizer: Any,
        last_speech_s: float,
    ) -> None:
        """Give the pieces of a window their words, and by them better times."""
        shaped: list[dict[str, Any]] = [
            {"seek": window.seek, "start": p.start, "end": p.end, "tokens": p.tokens}
            for p in pieces
        ]
        with self._uninterrupted(), warnings.catch_warnings():
            # Without Triton's compiler it computes on the CPU instead, which is fine.
            warnings.filterwarnings("ignore", "Failed to launch Triton kernels")
            timing.add_word_timestamps(
                segments=shaped,
                model=self._whisper,
                tokenizer=tokenizer,
                mel=mel,
                num_frames=window.size,
                last_speech_timestamp=last_speech_s,
            )
        for piece, timed in zip(pieces, shaped, strict=True):
            piece.start, piece.end = float(timed["start"]), float(timed["end"])
            piece.words = [WindowWord(**word) for word in timed["words"]]

    def _placed(self, mel: Any) -> Any:
        return audio.pad_or_trim(mel, WINDOW_FRAMES).to(self._whisper.device, self._dtype)

    def _ask(self, *_: Any) -> None:
        if self._canceled():
            raise DecodingInterrupted

    @contextmanager
    def _uninterrupted(self) -> Iterator[None]:
        """For word times: interrupted there, the library would leave hooks in the network.

        It is one pass of the decoder, the encoding being known already.
        """
        requested, self._canceled = self._canceled, _never
        try:
            yield
        finally:
            self._canceled = requested


class _Remembering(torch.nn.Module):
    """An encoder that knows the last window it encoded.

    The library encodes a window again for every temperature, and once more for word times;
    on a CPU encoding is most of the work.
    """

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self._cached: tuple[Any, Any] | None = None

    def forward(self, mel: Any) -> Any:
        """The encoding of windows, shape (n_windows, n_mels, 3000)."""
        if self._cached is None or not torch.equal(self._cached[0], mel):
            self._cached = None
            self._cached = (mel, self.encoder(mel))
        return self._cached[1]

    def forget(self) -> None:
        """Give the memory of the last window back."""
        self._cached = None


def open_model(
    file: Path, device: str, compute_type: str, cpu_threads: int, name: str
) -> WhisperCheckpoint:
    """Load a checkpoint. ``device`` is ``cpu`` or ``cuda``. Raises what torch raises.

    ``name`` is the model's short name where it has one. Threads are the whole process's.
    """
    if cpu_threads:
        torch.set_num_threads(cpu_threads)
    checkpoint = torch.load(
        # Nothing in a checkpoint is ever run; mapped, it needs no second place in memory.
        str(file),
        map_location="cpu",
        weights_only=True,
        mmap=is_zipfile(file),
    )
    model = whisper.Whisper(ModelDimensions(**checkpoint["dims"]))
    model.load_state_dict(checkpoint["model_state_dict"])
    del checkpoint
    model.requires_grad_(False)
    _set_alignment_heads(model, file, name)
    _set_compute_type(model, getattr(torch, compute_type))
    return WhisperCheckpoint(model.to(device).eval(), compute_type)


def _set_compute_type(model: Any, dtype: Any) -> None:
    """Hold the weights in what they are computed in: half the memory, and the same result.

    The library casts these at every use; its normalisations stay in float32.
    """
    for module in model.modules():
        if isinstance(module, Linear | Conv1d):
            module.to(dtype)


def _set_alignment_heads(model: Any, file: Path, name: str) -> None:
    """Which attention heads follow the audio: as converted, or as published for that name.

    Else the library's own choice stays: the upper half of the layers.
    """
    beside = file.with_name(HEADS_FILE)
    shape = (model.dims.n_text_layer, model.dims.n_text_head)
    mask = torch.zeros(shape, dtype=torch.bool)
    if beside.is_file():
        for layer, head in json.loads(beside.read_text(encoding="utf-8")):
            mask[layer, head] = True
        model.register_buffer("alignment_heads", mask.to_sparse(), persistent=False)
        return
    published = whisper._ALIGNMENT_HEADS
    entry = published.get(name) or published.get(file.stem)
    if entry is None:
        return
    # Another model of that name has other sizes: then the library's choice stays.
    with suppress(RuntimeError):
        model.set_alignment_heads(entry)


def _never() -> bool:
    return False
