"""Figures for Prometheus: what the service holds now, and counts of what happened.

No label ever is a name, an id or an address of anybody: their values are few and known.
"""

from __future__ import annotations

import platform
from collections import Counter as Tallies
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from hybrid_transcribe._version import __version__
from hybrid_transcribe.events import Event, RecordingChanged
from hybrid_transcribe.service_protocol import ServiceFigures
from hybrid_transcribe.types import State

if TYPE_CHECKING:
    from tornado.web import RequestHandler


_NAME = "hybrid_transcribe"

#: Bounds of the answering times, in seconds: from a look at the queue to a large upload.
_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)

#: Methods that have a label of their own; whatever else a client writes is ``other``.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Reading(Collector):
    """Shows how things stood when somebody last looked."""

    def __init__(self) -> None:
        self.now = ServiceFigures()

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client."""
        now = self.now
        for name, counts in (("jobs", now.jobs), ("recordings", now.recordings)):
            values = {str(state): counts.get(state, 0) for state in State}
            yield _gauges(name, f"{name.capitalize()} known, by state.", "state", values)
        yield _gauges("queue_length", "Recordings that wait, by lane.", "lane", now.waiting)
        yield _gauges(
            "workers", "Live workers, by lane.", "lane", Tallies(w.lane for w in now.workers)
        )
        yield _gauges(
            "worker_peak_memory_bytes",
            "Most memory a live worker was seen to hold.",
            "lane",
            {w.lane: w.peak_bytes for w in now.workers if w.peak_bytes is not None},
        )
        died = CounterMetricFamily(
            f"{_NAME}_worker_deaths", "Workers that died unasked, by lane.", labels=["lane"]
        )
        for lane, n in now.deaths.items():
            died.add_metric([lane], n)
        yield died
        # One of them is ours.
        yield GaugeMetricFamily(
            f"{_NAME}_event_listeners",
            "Listeners to events, in this process and over HTTP.",
            value=max(0, now.listeners - 1),
        )


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{_NAME}_{name}", text, labels=[label])
    for which, value in values.items():
        family.add_metric([which], value)
    return family


class MetricsCollector:
    """The figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._reading = _Reading()
        self.registry.register(self._reading)
        ProcessCollector(registry=self.registry)
        self._build = Info(f"{_NAME}_build", "Which version runs.", registry=self.registry)
        self._build.info({"version": __version__, "python": platform.python_version()})
        self._ended = self._counter("recordings_ended", "Recordings that ended, by state.", "state")
        self._failed = self._counter("failures", "Recordings that failed, by error.", "code")
        self._audio = self._counter("audio_seconds", "Audio transcribed, in seconds.")
        self._spent = self._counter(
            "transcription_seconds", "Time from a recording's start to its completion, in seconds."
        )
        self._uploaded = self._counter("upload_bytes", "Bytes of request bodies received.")
        self._requests = self._counter(
            "http_requests", "Requests answered.", "route", "method", "status"
        )
        self._took = Histogram(
            f"{_NAME}_http_request_duration_seconds",
            "Time to answer, without event streams.",
            ("route", "method"),
            buckets=_BOUNDS_S,
            registry=self.registry,
        )

    def _counter(self, name: str, message: str, *labels: str) -> Counter:
        return Counter(f"{_NAME}_{name}", message, labels, registry=self.registry)

    def take(self, event: Event) -> None:
        """Count a recording that ended."""
        recording = event.recording if isinstance(event, RecordingChanged) else None
        if recording is None or not recording.state.terminal:
            return
        self._ended.labels(recording.state.value).inc()
        if recording.error is not None:
            self._failed.labels(recording.error.code).inc()
        if recording.state is State.COMPLETED:
            self._audio.inc(recording.duration_s or 0.0)
            took_s = (recording.finished_at or 0.0) - (recording.started_at or 0.0)
            # The wall clock jumps.
            self._spent.inc(max(0.0, took_s))

    def answered(self, handler: RequestHandler, route: str) -> None:
        """Count a request that was answered, on whatever loop."""
        method = handler.request.method or ""
        method = method if method in _METHODS else "other"
        self._requests.labels(route, method, str(handler.get_status())).inc()
        streamed = handler._headers.get("Content-Type", "").startswith("text/event-stream")
        if not streamed:
            self._took.labels(route, method).observe(handler.request.request_time())
        self._uploaded.inc(_received_bytes(handler))

    def text(self, now: ServiceFigures, accept: str) -> tuple[bytes, str]:
        """All figures in the format that the client prefers, and its media type."""
        self._reading.now = now
        encode, media_type = choose_encoder(accept)
        text: bytes = encode(self.registry)
        return text, media_type


def template(pattern: str) -> str:
    """A route's pattern as a label: what is of somebody's own is left out.

    >>> template(r"/jobs/([^/]+)/cancel"), template(r"/v1(?:/.*)?")
    ('/jobs/{id}/cancel', '/v1[/.*]')
    """
    label = pattern.replace("([^/]+)", "{id}")
    return label.replace("(?:", "[").replace(")?", "]").replace("\\", "")


def _received_bytes(handler: RequestHandler) -> int:
    """A body that went to disk was counted on its way, any other is in memory."""
    arrived: int = getattr(handler, "_arrived_bytes", 0)
    return arrived or len(handler.request.body or b"")
