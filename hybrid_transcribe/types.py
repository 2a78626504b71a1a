"""The words of the field, as frozen values: every layer speaks these and nothing else.

Frozen, because they travel between threads, processes and JSON without copies or locks.
Times are seconds from the start of the original recording unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from hybrid_transcribe.core.lookup import provider
from hybrid_transcribe.messages import MessageInfo

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from hybrid_transcribe.jobs.transcript_edit import TranscriptEdit

#: The one sample rate engines ever see (Whisper's own), in hertz.
RATE_HZ = 16_000


class State(str, Enum):
    """Where a recording stands. A job's state is derived from its recordings."""

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    CANCELING = "canceling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def terminal(self) -> bool:
        """True when nothing more will happen unless somebody asks for a retry."""
        return self in (State.COMPLETED, State.FAILED, State.CANCELED)

    def __str__(self) -> str:
        return self.value


class Stage(str, Enum):
    """What is being done to a recording that is preparing or running, told to people."""

    DOWNLOADING_MODEL = "downloading-model"
    LOADING_MODEL = "loading-model"
    DECODING = "decoding"
    TRANSCRIBING = "transcribing"
    UPLOADING_TO_CLOUD = "uploading-to-cloud"
    WAITING_FOR_CLOUD = "waiting-for-cloud"
    IDENTIFYING_SPEAKERS = "identifying-speakers"
    POSTPROCESSING = "post-processing"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Clip:
    """Decoded audio, the only form an engine receives.

    Attributes:
        samples: float32, shape (n_samples,), mono, 16 kHz, within [-1, 1]. Treat as read-only.
        start_s: where this clip begins in the original recording. Long recordings arrive as
            several clips in order; engines count their times from the clip's first sample.
        name: the recording's name as people know it, for messages only.
        note: what an engine asked to remember of an earlier attempt (`interfaces.Remember`).
    """

    samples: npt.NDArray[np.float32]
    start_s: float = 0.0
    name: str = ""
    note: str | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / RATE_HZ


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its times (s) and the engine's probability for it (0..1, None if unknown).

    ``text`` carries no space around it; languages that write none between words need none.
    """

    start_s: float
    end_s: float
    text: str
    probability: float | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of speech.

    Attributes:
        avg_logprob: mean natural log-probability of its tokens; None if the engine has none.
        no_speech_prob: the engine's probability (0..1) that nobody speaks here.
        compression_ratio: characters over their zlib size; above about 2.4 the text repeats itself.
        speaker: the id of who speaks, see `Transcript.speakers`.
        language: ISO 639-1 code of what is spoken, where a recording is transcribed in several
            languages; None else.
        id: names it within its transcript, also after others were added or left out. Engines
            leave it empty; it is no part of what was said.
    """

    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...] = ()
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    temperature: float | None = None
    speaker: str | None = None
    language: str | None = None
    id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who speaks in a recording.

    Attributes:
        id: what ``Segment.speaker`` says; short, and the same in all revisions.
        name: what people call them; empty means the id.
        color: ``#rrggbb`` for their text, empty for the reader's own choice.
    """

    id: str
    name: str = ""
    color: str = ""

    @property
    def label(self) -> str:
        """The name, or the id where there is none."""
        return self.name or self.id


#: Why text was withheld. ``no_sound``: nothing sounds there, and nobody speaks in the window that
#: follows. ``no_voice``: decoder, level and voice detector agree that nobody speaks there.
WithheldReason = Literal["no_sound", "no_voice"]


@dataclass(frozen=True, slots=True)
class WithheldSegment:
    """Text that an engine made up where nobody speaks; times as a segment's."""

    start_s: float
    end_s: float
    text: str
    reason: WithheldReason


@dataclass(frozen=True, slots=True)
class TranscriptOrigin:
    """Where a transcript is from: a job of a service, which has that key in this process."""

    service_key: str
    job_id: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one recording said: its segments in time order and how they came about.

    Attributes:
        name: the recording's name as people know it.
        language: ISO 639-1 code, given or detected; None when nothing was heard.
        language_probability: 0..1 when detected, None when given.
        duration_s: the recording's length; None when it was never measured.
        complete: False for a partial transcript (running, canceled or failed), and where more than
            a little of the recording's sound is missing, as ``warnings`` say.
        warnings: which of several tracks was heard, sound that is missing, options an engine
            could not honour, text it withheld, fall-backs it took.
        withheld: text that was left out as made up, in time order, so that a person can look.
        speakers: who speaks, in the order in which they first do; empty where nobody is told apart.
            Those whom only segments name are added.
        revision: which revision this is (see `revision_types`); None while it is being made.
        origin: the job that it was taken from, for `edit`; it is no part of what was said.
    """

    recording_id: str
    name: str
    segments: tuple[Segment, ...]
    engine: str
    model: str
    device: str | None = None
    language: str | None = None
    language_probability: float | None = None
    duration_s: float | None = None
    complete: bool = True
    warnings: tuple[str, ...] = ()
    withheld: tuple[WithheldSegment, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    revision: int | None = None
    origin: TranscriptOrigin | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Engines label segments and know no names.
        object.__setattr__(self, "speakers", all_speakers(self.speakers, self.segments))

    @property
    def text(self) -> str:
        """The whole text, segments joined with a single space and trimmed."""
        return " ".join(t for t in (s.text.strip() for s in self.segments) if t)

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word of every segment, in order; empty unless word_timestamps was asked for."""
        return tuple(w for s in self.segments for w in s.words)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write it in the format the file's suffix names (``.srt``, ``.json``…).

        Raises UnknownFormat, which lists the formats, and OSError.
        """
        saved: Path = provider("save_transcript")(self, path)
        return saved

    def edit(self, *, author: str = "", label: str = "") -> TranscriptEdit:
        """Correct it where it was taken from, as one new revision.

        ::

            with transcript.edit(author="Ana") as edit:
                edit.replace_text(transcript.segments[0], "Good morning.")
                edit.rename_speaker("S1", "Ana")

        It goes to the service at the end of the block, and not at all where that raises. This
        transcript stays as it is; ``edit.revised()`` is the new one. Raises InvalidRequest for one
        that no open service of this process has.
        """
        edit: TranscriptEdit = provider("edit_transcript")(self, author=author, label=label)
        return edit

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        length = "" if self.duration_s is None else f"{self.duration_s:.1f} s, "
        partial = "" if self.complete else ", partial"
        return (
            f"<Transcript of {self.name!r}: {length}{self.language or 'no language'}, "
            f"{counted(len(self.segments), 'segment')}{partial}: {_beginning(self.text)!r}>"
        )


def all_speakers(speakers: tuple[Speaker, ...], segments: Iterable[Segment]) -> tuple[Speaker, ...]:
    """The speakers, then those who speak in segments and are not among them, by their ids."""
    ids = dict.fromkeys(s.speaker for s in segments if s.speaker)
    for speaker in speakers:
        ids.pop(speaker.id, None)
    return (*speakers, *map(Speaker, ids))


def counted(n: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "recording"), counted(3, "recording")
    ('1 recording', '3 recordings')
    """
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _beginning(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@dataclass(frozen=True, slots=True)
class KnownVoice:
    """Somebody whose voice is known from a recording in which nobody else speaks.

    Attributes:
        name: what people call them; they get it where they are recognised.
        path: the recording. Empty where it lies on another machine.
        owned: it was sent to us: ``path`` is then its name among the service's uploads, and it
            is deleted with the job.
    """

    name: str
    path: str = ""
    owned: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """How to transcribe. ``None`` means "the engine's own default".

    The names are those of the field (faster-whisper's and openai-whisper's). An engine that
    cannot honour an option that was set says so in ``Transcript.warnings``.

    Attributes:
        language: ISO 639-1 code such as ``"pt"``; None detects it.
        task: ``"transcribe"`` keeps the language spoken, ``"translate"`` writes English.
        word_timestamps: also time every word.
        vad_filter: drop stretches without speech before decoding.
        silence_guard: withhold text that an engine invents where nobody speaks.
        compute_type: number format of the weights (``"int8"``, ``"float16"``, ``"float32"``…).
        batch_size: windows decoded at once; 1 decodes in sequence. On a CPU faster-whisper decodes
            pieces together without it.
        beam_size: hypotheses kept while decoding; 1 is greedy and fastest.
        best_of: samples drawn where the temperature is above 0.
        patience: how long a beam search goes on after its first complete hypothesis.
        length_penalty: above 1 favours longer hypotheses, below 1 shorter ones.
        repetition_penalty: above 1 makes words that were said less likely.
        no_repeat_ngram_size: sequences of so many tokens never occur twice; 0 allows them.
        temperature: sampling temperatures tried in turn, the first that gives sound text wins.
        initial_prompt: text put before the first window, for names and style.
        prefix: how the first window's text begins.
        hotwords: words to expect, put before every window.
        condition_on_previous_text: give each window the text of the one before it.
        compression_ratio_threshold: text that repeats itself more is tried again.
        log_prob_threshold: text less sure (mean natural logarithm) is tried again. With
            faster-whisper -1 is quicker and less like the library's text than the default.
        no_speech_threshold: windows more surely without speech are skipped when also unsure.
        hallucination_silence_threshold: with word times, skip silences longer than this (s)
            around text that looks invented.
        suppress_blank: never begin a window with a blank.
        suppress_tokens: ids of tokens never written; -1 stands for the usual symbols.
        without_timestamps: decode text only; each window is one segment.
        max_new_tokens: most tokens of one window.
        chunk_length: length of a window in seconds.
        clip_timestamps: stretches to decode, as start, end, start, end… seconds.
        multilingual: detect the language again in every window; with faster-whisper in every
            stretch between pauses, each of which is then transcribed in its own.
        languages: the languages that a recording may be in, such as ``("pt", "en")``: no other is
            detected. Implies ``multilingual``.
        context: ``"auto"`` lets faster-whisper hear windows as short as the speech in them,
            several times as fast; ``"full"`` is the library's own way, window by window.
        diarize: tell apart who speaks.
        speakers: how many people speak, where that is known. Implies ``diarize``, as do the next
            three. In Python also people's names with recordings of their voices:
            ``{"Ana": "ana.wav"}``, which become ``voices``.
        min_speakers, max_speakers: how many people speak, at least and at most.
        voices: people who are recognised by their voices.
        postprocess: post-processors that work on the text after the engine, by name and in order,
            beside those that other options need.
        channels: ``"speakers"`` where each channel of a recording is one person: each is
            transcribed for itself, and says who speaks. ``"mix"`` makes one sound of all. None
            does that too, unless ``diarize`` asks who speaks and each channel turns out to be
            one person.
        audio_track: which of a file's audio tracks is heard: its number from 1, its language tag
            or its title; ``"all"`` makes a recording of each. None takes the one that a player
            would play, unless that is silent.
    """

    language: str | None = None
    task: str = "transcribe"
    word_timestamps: bool = False
    vad_filter: bool | None = None
    silence_guard: bool = True
    compute_type: str | None = None
    batch_size: int | None = None
    beam_size: int | None = None
    best_of: int | None = None
    patience: float | None = None
    length_penalty: float | None = None
    repetition_penalty: float | None = None
    no_repeat_ngram_size: int | None = None
    temperature: tuple[float, ...] | None = None
    initial_prompt: str | None = None
    prefix: str | None = None
    hotwords: str | None = None
    condition_on_previous_text: bool | None = None
    compression_ratio_threshold: float | None = None
    log_prob_threshold: float | None = None
    no_speech_threshold: float | None = None
    hallucination_silence_threshold: float | None = None
    suppress_blank: bool | None = None
    suppress_tokens: tuple[int, ...] | None = None
    without_timestamps: bool | None = None
    max_new_tokens: int | None = None
    chunk_length: int | None = None
    clip_timestamps: tuple[float, ...] | None = None
    multilingual: bool | None = None
    languages: tuple[str, ...] | None = None
    context: str | None = None
    diarize: bool = False
    speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    voices: tuple[KnownVoice, ...] | None = None
    postprocess: tuple[str, ...] | None = None
    channels: str | None = None
    audio_track: str | None = None

    @property
    def in_several_languages(self) -> bool:
        """Whether a recording may be in more than one language."""
        return bool(self.multilingual or self.languages)

    def given(self) -> dict[str, Any]:
        """Only the options that differ from their defaults: name to value."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if getattr(self, f.name) != f.default
        }


#: Options that say who may speak: each implies `Options.diarize`.
WHO_SPEAKS = ("speakers", "min_speakers", "max_speakers", "voices")

#: The value of `Options.audio_track` that makes a recording of each track.
ALL_TRACKS = "all"

#: The post-processor for `Options.diarize`, where the engine does not tell speakers apart.
SPEAKERS = "speakers"

#: What `Options.channels` can be.
CHANNELS = ("speakers", "mix")

#: Tasks an engine can be asked for.
TASKS = ("transcribe", "translate")

#: Devices a person can ask for, with the Portuguese words people use for them.
DEVICES: Mapping[str, str] = {
    "auto": "auto",
    "gpu": "gpu",
    "cpu": "cpu",
    "automatico": "auto",
    "automático": "auto",
    "cuda": "gpu",
}


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An error as plain data: what crosses process borders, the journal and the wire.

    Attributes:
        code: the kind of error.
        message: what is wrong and what helps, in English.
        reason: the code of that message in the catalogues; empty where only its text is known.
        params: what fills its blanks.
    """

    code: str
    message: str
    reason: str = field(default="", compare=False)
    params: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Rejection:
    """An input that never became a recording, and why."""

    name: str
    error: ErrorInfo


@dataclass(frozen=True, slots=True)
class Spec:
    """How a job is to be transcribed: all that two recordings must share to run in one batch."""

    engine: str
    model: str
    device: str = "auto"
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Repeat:
    """What makes a submission recognisable when it comes again.

    Attributes:
        key: the submitter's own, one for each submission.
        fingerprint: a digest of what was submitted and how.
    """

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFacts:
    """What is learned of a recording while it is transcribed; None where it is not known.

    Whoever learns something sends one of these; the recording, its runs, REST and the panel have
    the same fields.

    Attributes:
        language: ISO 639-1 code of what is spoken, as detected.
        language_probability: the detector's probability for it (0..1).
        device: where the model runs (``cpu`` or ``gpu``).
    """

    duration_s: float | None = None
    language: str | None = None
    language_probability: float | None = None
    device: str | None = None

    def learned(self) -> dict[str, Any]:
        """Only those that are not None: name to value."""
        values = ((f.name, getattr(self, f.name)) for f in fields(RecordingFacts))
        return {name: value for name, value in values if value is not None}


@dataclass(frozen=True, slots=True)
class PendingStage:
    """A post-processor that is still to work on a recording's text.

    Attributes:
        name: as the registry knows it.
        share: the time it takes against the engine's, for the percentage.
        options: how it is to work; None takes those of the recording's run.
    """

    name: str
    share: float = 0.2
    options: Options | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord(RecordingFacts):
    """One transcription of a recording: how it was made and how it ended.

    Its segments are in the journal under its number. ``spec`` None is the job's.

    Attributes:
        run: its number. It rises when the recording is transcribed afresh, not when an interrupted
            transcription goes on.
        done_s: seconds of audio finished. ``n_segments`` have been journalled.
        resume_s: where an interrupted transcription goes on; None where that is ``done_s``.
        messages: those of the warnings that have a code, with their parameters.
        audio_missing: more than a little of its sound could not be decoded, or is not there.
        transcribed: the engine is through with it: its text is whole, whatever becomes of the
            stages that follow.
        pending_stages: post-processors that it still needs, in their order.
    """

    run: int = 1
    state: State = State.QUEUED
    transcribed: bool = False
    pending_stages: tuple[PendingStage, ...] = ()
    spec: Spec | None = None
    n_segments: int = 0
    done_s: float = 0.0
    resume_s: float | None = None
    warnings: tuple[str, ...] = ()
    messages: tuple[MessageInfo, ...] = ()
    audio_missing: bool = False
    withheld: tuple[WithheldSegment, ...] = ()
    error: ErrorInfo | None = None
    started_at: float | None = None
    finished_at: float | None = None

    @property
    def is_whole(self) -> bool:
        """True when the run's text is complete, also while stages work on it."""
        return self.state is State.COMPLETED or self.transcribed


@dataclass(frozen=True, slots=True)
class Recording(RunRecord):
    """One audio or video file of a job, as it stands now. A value: ask again for news.

    What it has as a `RunRecord` is about its latest transcription, number ``run``.

    Attributes:
        index: its place in the job, from 0.
        path: where the audio lies. ``owned`` says whether the file is ours to delete.
        attempt: counts the times it was queued; messages of an earlier attempt are ignored.
        worker_deaths: workers that died while it alone was in their hands; three are its end.
        solo: run it by itself, since a worker died while it and others were in its hands.
        percentage: 0..100, never falls within an attempt, 100 only when completed, None unknown.
        eta_s: seconds until it is done, None when unknown (never 0 for "unknown").
        share_done: the work done before its pending stages, measured in the engine's: 0 where a
            stage was asked for later; None is 1.
        stage_done_s: audio that the stage under way is through with, None before it works.
        note: an engine's own mark, such as the id of a transcript in the cloud; for it alone.
        expires_at: wall-clock time (s since the epoch) is kept on the job, not here.
        runs: the other transcriptions, by number.
        revision: the current revision of its text, see `revision_types`.
        revision_run: the run whose text that revision is or changes; None where it is the latest
            complete one.
        edited: a person changed its text.
    """

    recording_id: str
    job_id: str
    index: int
    name: str
    path: str
    owned: bool = False
    size_bytes: int = 0
    attempt: int = 1
    worker_deaths: int = 0
    solo: bool = False
    stage: Stage | None = None
    stage_percentage: float | None = None
    percentage: float | None = 0.0
    eta_s: float | None = None
    share_done: float | None = None
    stage_done_s: float | None = None
    note: str | None = None
    runs: tuple[RunRecord, ...] = ()
    revision: int = 0
    revision_run: int | None = None
    edited: bool = False

    @property
    def result_run(self) -> int | None:
        """The run whose text is the result, or was corrected to be it; None before there is any.

        The latest that is whole, also while stages work on it, unless a person went back to the
        text of another.
        """
        if self.revision_run is not None:
            return self.revision_run
        if self.is_whole:
            return self.run
        return max((r.run for r in self.runs if r.is_whole), default=None)

    @property
    def has_result(self) -> bool:
        """True when there is a complete text, also while a newer one is being made."""
        return self.result_run is not None


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job as it stands now. A value: ask again for news.

    Attributes:
        session_id: the anonymous capability it belongs to; treat it like a password.
        state: derived, see `hybrid_transcribe.jobs.summary`.
        percentage: mean of its recordings weighted by their length; None when unknowable.
        eta_s: seconds until its last recording is done; None when unknown.
        created_at, finished_at, expires_at: wall-clock seconds since the epoch. ``expires_at``
            is None while it is not finished, or is kept.
        position: how many recordings of others run before it, 0 when it is its turn.
        repeat: how to recognise the submission when it comes again, None where it need not be.
        callback_url: who is to be told when it has ended; shown to nobody.
        called_back_at: the ``finished_at`` of the end that was told.
    """

    job_id: str
    session_id: str
    spec: Spec
    recordings: tuple[Recording, ...]
    rejected: tuple[Rejection, ...] = ()
    priority: int = 0
    kept: bool = False
    created_at: float = 0.0
    finished_at: float | None = None
    expires_at: float | None = None
    state: State = State.QUEUED
    percentage: float | None = 0.0
    eta_s: float | None = None
    position: int = 0
    repeat: Repeat | None = None
    callback_url: str | None = None
    called_back_at: float | None = None

    @property
    def done(self) -> bool:
        """True when every recording is completed, failed or canceled."""
        return self.state.terminal

    def recording(self, recording_id: str) -> Recording | None:
        """The recording of that id, or None."""
        return next((r for r in self.recordings if r.recording_id == recording_id), None)


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """One engine: whether it can run here, and what it can do.

    Attributes:
        why_not: one line with the remedy; None when it is available.
        why_not_message: the same with its code and parameters, where it has one.
        default: it is the one a job gets that names none.
        default_model: the one a job for this engine gets that names none.
        models: short names it can be asked for; hub ids and folders may do as well. Empty
            where it knows no names, or could not be asked.
        devices, compute_types, languages, options: as in `Capabilities`; no languages means
            "whatever the model knows". Options are also those of who speaks, where speakers are
            told apart after every engine.
        sends_audio_to: who receives the audio, None when it stays on this machine.
    """

    name: str
    available: bool
    why_not: str | None = None
    default: bool = False
    default_model: str = ""
    models: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    compute_types: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    translates: bool = False
    word_timestamps: bool = False
    sends_audio_to: str | None = None
    options: tuple[str, ...] = ()
    why_not_message: MessageInfo | None = None


@dataclass(frozen=True, slots=True)
class PostProcessorInfo:
    """One stage after the engine: whether it can run here, and what it needs.

    Attributes:
        why_not: one line with the remedy; None when it is available.
        why_not_message: the same with its code and parameters, where it has one.
        options: names of `Options` it honours.
        models: the models it loads.
        needs_words: it wants the times of words.
    """

    name: str
    available: bool
    why_not: str | None = None
    options: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    needs_words: bool = False
    why_not_message: MessageInfo | None = None


@dataclass(frozen=True, slots=True)
class ModelAdvice:
    """One model of an engine, and what is known of it for a language and a length of sound.

    Attributes:
        size_bytes: rough size of the download; None where it is no file.
        here: it needs no network.
        languages: ISO 639-1 codes it reads; empty means Whisper's.
        speaks: False where it does not read the language asked about; None where none was.
        wer_percent: published word error rate in that language, on ``wer_dataset``, by
            ``wer_source``. Figures of different test sets cannot be compared.
        expected_s: how long the work would take here; None where no length is known.
        expected_from: ``"measured"`` on this machine, ``"scaled"`` from another model that was,
            or ``"usual"`` for such a machine.
        memory_bytes: what it takes at work, roughly.
        recommended: the one to take.
    """

    name: str
    engine: str
    size_bytes: int | None = None
    here: bool = False
    languages: tuple[str, ...] = ()
    speaks: bool | None = None
    wer_percent: float | None = None
    wer_dataset: str | None = None
    wer_source: str | None = None
    expected_s: float | None = None
    expected_from: str | None = None
    memory_bytes: int | None = None
    recommended: bool = False
