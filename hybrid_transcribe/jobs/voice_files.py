"""Recordings of voices that were sent to us: they lie among the uploads and go with their job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from hybrid_transcribe.audio.sniff import sniff
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import HybridTranscribeError, InvalidOption
from hybrid_transcribe.jobs.stored_files import link_or_copy
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import JobSnapshot, KnownVoice, Options, Recording


def sent_voices(*options: Options | None) -> tuple[str, ...]:
    """The names of the recordings of voices that were sent to us, each once."""
    voices = (voice for each in options if each for voice in each.voices or () if voice.owned)
    return tuple(dict.fromkeys(voice.path for voice in voices))


def located(options: Options, uploads_dir: Path) -> Options:
    """The options with every voice's recording by its whole path, as a worker needs them."""
    if not options.voices:
        return options
    voices = (
        replace(voice, path=str(uploads_dir / voice.path)) if voice.owned else voice
        for voice in options.voices
    )
    return replace(options, voices=tuple(voices))


def with_own_voices(options: Options, reused: Options | None, uploads_dir: Path) -> Options:
    """The options for a job of their own: what another job was sent and goes with is copied.

    Raises InvalidOption where a recording of a voice is none, or is gone.
    """
    names = sent_voices(reused)
    voices = tuple(
        _copied(voice, uploads_dir) if voice.owned and voice.path in names else voice
        for voice in options.voices or ()
    )
    for voice in located(replace(options, voices=voices), uploads_dir).voices or ():
        _check_sound(voice)
    return replace(options, voices=voices or None)


def discard_voices(options: Options, uploads_dir: Path) -> None:
    """Delete the recordings that were sent to us: there is no job for them."""
    for name in sent_voices(options):
        (uploads_dir / name).unlink(missing_ok=True)


def _copied(voice: KnownVoice, uploads_dir: Path) -> KnownVoice:
    source = uploads_dir / voice.path
    name = f"{new_id()}{source.suffix}"
    try:
        link_or_copy(source, uploads_dir / name)
    except OSError:
        message = UserMessage("voice_missing", name=voice.name, path=voice.path)
        raise InvalidOption(message) from None
    return replace(voice, path=name)


def _check_sound(voice: KnownVoice) -> None:
    path = Path(voice.path)
    try:
        kind = sniff(path, voice.name)
    except HybridTranscribeError as error:
        raise InvalidOption(UserMessage("voice_no_sound", name=voice.name, why=error)) from error
    if kind == "zip":
        raise InvalidOption(UserMessage("unexpected_zip", name=voice.name))


def voices_of_jobs(jobs: Iterable[JobSnapshot], recordings: Iterable[Recording]) -> set[str]:
    """The names of all recordings of voices that these were sent."""
    options = chain(
        (job.spec.options for job in jobs), chain.from_iterable(map(_options, recordings))
    )
    return set(sent_voices(*(each for each in options if each.voices)))


def _options(recording: Recording) -> Iterator[Options]:
    runs = (recording, *recording.runs)
    yield from (each.spec.options for each in runs if each.spec is not None)
    yield from (stage.options for stage in recording.pending_stages if stage.options is not None)
