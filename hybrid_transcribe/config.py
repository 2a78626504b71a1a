"""All settings in one place: defaults, then the environment, then what the caller says.

Every field can be set by an environment variable ``HYBRID_TRANSCRIBE_<FIELD IN CAPITALS>``;
the janitor's two also by the short names people know (``JOB_RETENTION_TIME_SECONDS``,
``JANITOR_SLEEP_INTERVAL_SECONDS``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import platformdirs

from hybrid_transcribe.core.telemetry import truth
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage, known_phrase

PREFIX = "HYBRID_TRANSCRIBE_"

#: Short names of the environment for single fields.
ALIASES = {
    "retention_s": "JOB_RETENTION_TIME_SECONDS",
    "janitor_interval_s": "JANITOR_SLEEP_INTERVAL_SECONDS",
    "assemblyai_api_key": "ASSEMBLYAI_API_KEY",
}

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be tuned. Names carry their unit.

    Attributes:
        state_dir: journal, uploads and lock; None takes a folder of the user's own.
        cache_dir: joined and converted models; None takes the user's cache folder.
        engine, model, device: what a job gets that names none.
        engines: more engines by ``name -> "module:attr"``, beside those installed.
        postprocessors: more stages after the engine, in the same way.
        offline: never ask a model hub (also when HF_HUB_OFFLINE is set).
        cpu_threads: threads of one inference on a CPU, 0 lets the engine choose.
        preload_models: fetch and load the default model when the service starts; None does so
            when it begins to serve over HTTP.
        never_cloud: refuse every engine that sends audio to somebody else.
        assemblyai_api_key: also from ``ASSEMBLYAI_API_KEY``; never shown or written anywhere.
        assemblyai_base_url: ``https://api.eu.assemblyai.com`` keeps the audio in Europe.
        cloud_workers: processes that wait for the cloud side by side.
        cloud_timeout_s: longest wait for the cloud, beside a recording's own length.

        retention_s: how long results stay after a job ended.
        janitor_interval_s: how often the janitor looks.

        max_duration_s: longest recording accepted.
        block_s: recordings longer than this are decoded and transcribed in blocks of at most
            this length, so that memory stays flat.
        decode_timeout_s: wall-clock limit for decoding one block.
        max_file_bytes: largest single file accepted.
        max_files: most recordings of one job.
        max_upload_bytes: largest request accepted, with all files in it.
        max_parallel_uploads: requests that may bring files at the same time.
        max_open_uploads: uploads in pieces that may be there, finished or not, until a job takes
            them.
        upload_idle_s: how long each of these stays after its last piece.
        archive_max_entries, archive_max_bytes, archive_max_ratio: limits of a zip: entries,
            bytes when unpacked, and unpacked over packed size.
        max_queued: recordings that may wait in all.
        max_queued_per_session: recordings of one session that may wait.
        rate_limit_per_min: calls that one client of a server may make in a minute, of those
            that create work or open an event stream; 0 for no limit.
        allow_source_urls: servers fetch recordings from addresses in submissions.
        webhook_secret: ``whsec_`` and base64, signs what is sent to the ``callback_url`` of a
            job; without one no submission may have any. Never shown.
        pass_environment: names of environment variables, separated by commas, that workers get
            beside what they need, e.g. the key of a plug-in's cloud; ``*`` stands for any end.
        fetch_private_hosts: names and addresses of the private network, separated by commas, that
            servers may fetch from and call back; all others must be public.

        batch_recordings, batch_audio_s: largest batch handed to a worker: one turn of a session.
            Where twenty seconds of work do more audio than that, as much as they do.
        time_limit_factor, time_limit_min_s: a recording may take its length (with that of its
            batch) times the factor, and at least the minimum, before its worker is killed.
        load_timeout_s: longest silence of a worker that is fetching or loading a model.
        cancel_grace_s: how long a worker may take to let a recording go before it is killed.
        stop_grace_s: how long closing the service may take.
        max_worker_deaths: a recording that was alone in the hands of so many dead workers fails.
        model_idle_s: an unused model is unloaded after this time.
        models_kept: most models loaded at once in one worker.
    """

    state_dir: str | None = None
    cache_dir: str | None = None
    engine: str = "faster-whisper"
    model: str | None = None
    device: str = "auto"
    engines: dict[str, str] = field(default_factory=dict)
    postprocessors: dict[str, str] = field(default_factory=dict)
    offline: bool = False
    cpu_threads: int = 0
    preload_models: bool | None = None
    never_cloud: bool = False
    assemblyai_api_key: str | None = field(default=None, repr=False)
    assemblyai_base_url: str = "https://api.assemblyai.com"
    cloud_workers: int = 3
    cloud_timeout_s: float = 900.0

    retention_s: float = 3600.0
    janitor_interval_s: float = 300.0

    max_duration_s: float = 4 * 3600.0
    block_s: float = 30 * 60.0
    decode_timeout_s: float = 300.0
    max_file_bytes: int = 4096 * MIB
    max_files: int = 10_000
    max_upload_bytes: int = 8192 * MIB
    max_parallel_uploads: int = 100
    max_open_uploads: int = 1000
    upload_idle_s: float = 24 * 3600.0
    archive_max_entries: int = 10_000
    archive_max_bytes: int = 8192 * MIB
    archive_max_ratio: float = 200.0
    max_queued: int = 100_000
    max_queued_per_session: int = 50_000
    rate_limit_per_min: int = 1200
    allow_source_urls: bool = False
    webhook_secret: str | None = field(default=None, repr=False)
    pass_environment: str = ""
    fetch_private_hosts: str = ""

    batch_recordings: int = 128
    batch_audio_s: float = 300.0
    time_limit_factor: float = 30.0
    time_limit_min_s: float = 300.0
    load_timeout_s: float = 900.0
    cancel_grace_s: float = 2.0
    stop_grace_s: float = 10.0
    max_worker_deaths: int = 3
    model_idle_s: float = 600.0
    models_kept: int = 2

    @property
    def cache_path(self) -> Path:
        """The folder for joined and converted models."""
        return Path(self.cache_dir or platformdirs.user_cache_dir("hybrid_transcribe", False))

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, **kwargs: Any) -> Settings:
        """Defaults, overridden by the environment, overridden by what is given and not None.

        Raises InvalidOption for an unknown name or a value that does not parse.
        """
        result = _from_environment(os.environ if environ is None else environ)
        result.update({name: value for name, value in kwargs.items() if value is not None})
        is_known = {f.name for f in fields(cls)}
        unknown = sorted(set(result) - is_known)
        if unknown:
            raise InvalidOption(
                UserMessage("no_setting", name=unknown[0], choices=sorted(is_known))
            )
        return _checked(result)

    def but(self, **changes: Any) -> Settings:
        """These settings with some changed. Raises InvalidOption, TypeError for an unknown name."""
        return replace(self, **{name: _check(name, value) for name, value in changes.items()})


#: Types as people read them; all others are text.
_KINDS = {
    "bool": "True or False",
    "bool | None": "True or False",
    "int": "a whole number",
    "float": "a number",
    "dict[str, str]": "names with their 'module:attribute'",
}

#: Settings that must be at least 1; all other numbers may be 0.
_COUNTS = (
    *("max_files", "archive_max_entries", "max_queued", "batch_recordings"),
    *("cloud_workers", "models_kept", "max_worker_deaths"),
    *("max_parallel_uploads", "max_open_uploads", "max_queued_per_session"),
)

#: Shortest block, in seconds: none at all would never end.
_LEAST_BLOCK_S = 0.1


def _checked(mapping: Mapping[str, Any]) -> Settings:
    return Settings(**{name: _check(name, value) for name, value in mapping.items()})


def _check(name: str, value: Any) -> Any:
    """A setting's value, of its type and within its range. Raises InvalidOption."""
    hints = get_type_hints(Settings)
    if name not in hints:
        return value
    if name in ("state_dir", "cache_dir") and isinstance(value, os.PathLike):
        value = os.fspath(value)
    try:
        # Strict, so that the text "no" is not taken for True.
        checked = msgspec.convert(value, hints[name])
    except msgspec.ValidationError:
        kind = _KINDS.get(next(str(f.type) for f in fields(Settings) if f.name == name), "text")
        text = "…" if "key" in name or "secret" in name else repr(value)
        raise InvalidOption(
            UserMessage("setting_kind", name=name, value=text, kind=known_phrase(kind))
        ) from None
    least = _LEAST_BLOCK_S if name == "block_s" else int(name in _COUNTS)
    if isinstance(checked, int | float) and not checked >= least:
        raise InvalidOption(UserMessage("setting_least", name=name, value=repr(value), least=least))
    return checked


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for f in fields(Settings):
        for name in (PREFIX + f.name.upper(), ALIASES.get(f.name)):
            if name and environ.get(name):
                mapping[f.name] = _parse(name, str(f.type), environ[name])
    if truth(environ.get("HF_HUB_OFFLINE", "")):
        mapping["offline"] = True
    return mapping


def _parse(name: str, kind: str, text: str) -> Any:
    try:
        if kind.startswith("bool"):
            value = truth(text)
            if value is None:
                raise ValueError(text)
            return value
        if kind.startswith("dict"):
            # "name=module:attr,other=module:attr"
            return dict(pair.split("=", 1) for pair in text.split(",") if pair)
        return {"float": float, "int": int}.get(kind, str)(text)
    except ValueError as error:
        raise InvalidOption(
            UserMessage("variable_kind", name=name, value=text, kind=kind)
        ) from error
