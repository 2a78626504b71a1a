"""Which model to take: fitness, time on this machine, memory, and the notice where one is weak."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import Service, advise
from hybrid_transcribe.cli import main
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InvalidOption, UnknownEngine, UnknownModel
from hybrid_transcribe.jobs.eta import Speeds
from hybrid_transcribe.jobs.model_advice import (
    MEASURED,
    SCALED,
    USUAL,
    advise_models,
    expected_speed,
    weak_model_notice,
)
from hybrid_transcribe.models.catalogue import MODELS
from hybrid_transcribe.models.published import _MLS_PERCENT, better_model, published_rate
from hybrid_transcribe.testing import SCRIPTED, tone, write_wav
from hybrid_transcribe.types import Options, Spec


def speeds(**measured: float) -> Speeds:
    """Base measured at 10 times real time, and others by name."""
    result = Speeds()
    plain = {
        f"faster-whisper|{name}|auto": [speed * 10, 10.0, 1.0] for name, speed in measured.items()
    }
    result.load(plain)
    return result


# --------------------------------------------------------------------------- published figures


def test_every_published_figure_is_of_a_model_that_there_is() -> None:
    """And larger models are better in each language's sum."""
    sums = [sum(row) for row in _MLS_PERCENT.values()]

    assert set(_MLS_PERCENT) <= set(MODELS)
    assert {len(row) for row in _MLS_PERCENT.values()} == {8}
    assert sums == sorted(sums, reverse=True)


@pytest.mark.parametrize(
    ("model", "language", "better"),
    [
        ("tiny", "pt", "small"),
        ("base", "pt", "small"),
        ("base", "it", "large-v1"),
        ("Systran/faster-whisper-base", "pt", "small"),
        ("base", "en", None),
        ("base", "es", None),
        ("small", "pt", None),
        ("base", "eo", None),
        ("parakeet-tdt-0.6b-v3", "pt", None),
    ],
)
def test_a_better_model_is_named_only_where_one_is_known_to_be_weak(
    model: str, language: str, better: str | None
) -> None:
    """By figures of the same table."""
    assert better_model(model, language) == better


def test_a_figure_has_its_source() -> None:
    """Nobody takes it for ours."""
    rate = published_rate("base", "pt")

    assert rate is not None
    assert (rate.percent, rate.dataset) == (21.9, "Multilingual LibriSpeech")
    assert "2212.04356" in rate.source


# ------------------------------------------------------------------------------- time here


def test_what_was_measured_counts() -> None:
    """On this machine, for this model."""
    assert expected_speed("faster-whisper", "base", "auto", speeds(base=10)) == (10.0, MEASURED)


def test_another_model_is_scaled_from_the_nearest() -> None:
    """Small has 3.3 times the parameters of base."""
    per_s, known_from = expected_speed("faster-whisper", "small", "auto", speeds(base=10, tiny=30))

    assert known_from == SCALED
    assert per_s == pytest.approx(10 / 3.3)


def test_before_anything_was_measured_the_machine_counts() -> None:
    """Never below or above all reason, and a GPU is faster."""
    usual, known_from = expected_speed("faster-whisper", "base", "auto", Speeds())
    on_gpu, _ = expected_speed("faster-whisper", "base", "gpu", Speeds())

    assert known_from == USUAL
    assert 5 < usual < on_gpu


def test_speeds_of_another_engine_say_nothing() -> None:
    """They run the same weights at another pace."""
    assert expected_speed("transformers", "base", "auto", speeds(base=10))[1] == USUAL


# ---------------------------------------------------------------------------------- advice


def test_each_model_comes_with_what_is_known() -> None:
    """An hour of Portuguese."""
    by_name = {
        advice.name: advice
        for advice in advise_models(
            "faster-whisper", Settings(), speeds(base=10).plain(), "pt", 3600.0
        )
    }

    assert [name for name, advice in by_name.items() if advice.recommended] == ["small"]
    base = by_name["base"]
    assert (base.expected_s, base.expected_from, base.wer_percent) == (360.0, MEASURED, 21.9)
    assert by_name["tiny.en"].speaks is False
    assert by_name["large-v2"].expected_s == pytest.approx(3600 / 10 * 21)
    assert base.memory_bytes is not None
    assert 250e6 < base.memory_bytes < 500e6


def test_a_language_without_figures_leaves_the_usual_model() -> None:
    """Nothing is made up."""
    result = advise_models("faster-whisper", Settings(), {}, "eo")

    assert [advice.name for advice in result if advice.recommended] == ["base"]
    assert all(advice.wer_percent is None and advice.expected_s is None for advice in result)


def test_models_that_do_not_read_the_language_are_not_recommended() -> None:
    """Moonshine is smaller than Parakeet, and English."""
    result = advise_models("sherpa-onnx", Settings(), {}, "pt")

    assert [advice.name for advice in result if advice.recommended] == ["parakeet-tdt-0.6b-v3"]
    assert {advice.name for advice in result if advice.speaks} == {"parakeet-tdt-0.6b-v3"}


def test_models_of_a_plug_in_and_of_the_cloud_are_listed() -> None:
    """Without files nobody knows a size."""
    cloud = advise_models("assemblyai", Settings(), {}, "pt", 60.0)

    assert cloud
    assert all(a.here and a.size_bytes is None and a.expected_s is None for a in cloud)


# ----------------------------------------------------------------------- for people, in Python


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two minutes of sound."""
    return write_wav(tmp_path / "aula.wav", tone(120.0))


def test_advise_measures_recordings(recording: Path) -> None:
    """And shows a table without models of other languages."""
    with Service(journal=None) as service:
        advice = advise([recording, recording], language="pt-BR", service=service)

    assert advice.duration_s == pytest.approx(240.0, abs=0.1)
    assert advice.best is not None
    assert advice.best.name == "small"
    assert advice["base"].expected_from == USUAL
    table = repr(advice)
    assert "21.9 % (Multilingual LibriSpeech)" in table
    assert "take this one" in table
    assert "tiny.en" not in table
    with pytest.raises(UnknownModel):
        advice["huge"]


def test_advise_without_recordings_knows_no_time() -> None:
    """Only fitness and size."""
    with Service(journal=None) as service:
        advice = advise(language="Portuguese", service=service)

    assert advice.duration_s is None
    assert all(model.expected_s is None for model in advice)
    assert advice["small"].recommended


def test_mistakes_are_the_callers() -> None:
    """With the choices."""
    with Service(journal=None) as service:
        with pytest.raises(UnknownEngine):
            advise(engine="nope", service=service)
        with pytest.raises(InvalidOption):
            advise(language="klingonish", service=service)


def test_the_command_advises(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, and for programs."""
    assert main(["models", "advise", str(recording), "--language", "pt"]) == 0
    display_name = capsys.readouterr()
    assert "take this one" in display_name.out
    assert "published" in display_name.err

    assert main(["models", "advise", "--language", "pt", "--json"]) == 0
    listed: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in listed if item["recommended"]] == ["small"]


# ------------------------------------------------------------------------------ the notice


def test_the_notice_names_the_model_to_take_and_its_minutes() -> None:
    """Small takes 3.3 times as long as base: an hour takes 20 minutes where base takes 6."""
    spec = Spec("faster-whisper", "base", options=Options(language="pt"))

    assert weak_model_notice(spec, "pt", 3600.0, speeds(base=10)) == (
        "Model base is weak in 'pt': 22 % of words wrong as published. Take model 'small': 13 %, "
        "about 20 min for this recording here."
    )
    assert weak_model_notice(spec, "pt", None, speeds(base=10)) == (
        "Model base is weak in 'pt': 22 % of words wrong as published. Take model 'small': 13 %."
    )
    assert weak_model_notice(spec, "en", 3600.0, speeds(base=10)) is None


def test_an_engine_with_models_of_its_own_is_left_alone(recording: Path) -> None:
    """There a name of the catalogue may stand for something else."""
    with Service(journal=None, engines=SCRIPTED, engine="scripted") as service:
        (transcript,) = service.submit(recording, model="base", language="pt").result(60)

    assert not [line for line in transcript.warnings if "is weak in" in line]


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize("language", ["pt", None])
def test_a_recording_carries_the_notice_once(speech_dir: Path, language: str | None) -> None:
    """In its transcript's warnings, whether the language was given or found."""
    recording = speech_dir / "audio" / "leo_pt.wav"
    with Service(journal=None) as service:
        (transcript,) = service.submit(recording, model="base", language=language).result(120)

    weak = [line for line in transcript.warnings if "is weak in" in line]
    assert len(weak) == 1
    assert weak[0].startswith("Model base is weak in 'pt': 22 % of words wrong as published.")
    assert "min for this recording here" in weak[0]
