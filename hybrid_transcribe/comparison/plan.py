"""The same recordings through several engines, one after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any

from hybrid_transcribe.audio.intake import listed
from hybrid_transcribe.comparison.differences import differences
from hybrid_transcribe.comparison.entries import EngineLike, make_entries
from hybrid_transcribe.comparison.reference import Reference, References
from hybrid_transcribe.comparison.result import Comparison, ComparisonRow, Pair
from hybrid_transcribe.comparison.run import EngineRun, run
from hybrid_transcribe.comparison.words import Errors, check_libraries, count, most_common
from hybrid_transcribe.config import Settings
from hybrid_transcribe.progress.display import print_lines
from hybrid_transcribe.service_protocol import Inputs
from hybrid_transcribe.types import Transcript


def compare(
    inputs: Inputs,
    engines: Iterable[EngineLike] | None = None,
    *,
    reference: Reference | None = None,
    model: str | None = None,
    device: str | None = None,
    settings: Settings | None = None,
    progress: bool = True,
    **options: Any,
) -> Comparison:
    """Transcribe the same recordings with several engines: text, speed, memory, errors.

    Each engine runs in a fresh worker process of its own, one after the other, so that none
    takes time from another. One that fails is a row with its error. Needs the extra ``compare``.

    Args:
        inputs: what `transcribe` takes.
        engines: names, ``"engine:model"``, pairs ``(engine, model)`` or mappings with
            ``engine`` and, if wanted, ``model``, ``device``, options and a ``label`` to be
            shown. None compares all that can run here and keep the audio on this machine.
        reference: what was really said: a text or a plain text file for one recording; for
            several a folder with ``<name>.txt`` for each, or a mapping of names to texts.
        model, device, options: for every engine that names none of its own.

    Raises InvalidRequest, InputError and EngineUnavailable (a library is missing) before any
    work is waited for.
    """
    plan = ComparisonPlan(
        inputs, engines, reference, model, device, settings or Settings.load(), options
    )
    return plan.judge(list(plan.runs(progress=progress)))


class ComparisonPlan:
    """What is to be compared, checked; `runs` does it, `judge` makes something of the runs."""

    def __init__(
        self,
        inputs: Inputs,
        engines: Iterable[EngineLike] | None,
        reference: Reference | None,
        model: str | None,
        device: str | None,
        settings: Settings,
        options: dict[str, Any],
    ) -> None:
        check_libraries()
        self._inputs = listed(inputs)
        self._settings = settings
        self._references = References(reference)
        self.entries = make_entries(engines, settings, model, device, options)

    def runs(
        self, *, progress: bool, accepted: Callable[[], None] = lambda: None
    ) -> Iterator[EngineRun]:
        """One engine after the other, with its progress on stderr.

        ``accepted`` is called once, when the recordings were found fit to be transcribed.
        """
        called = False

        def names_known(names: tuple[str, ...]) -> None:
            nonlocal called
            self._references.check(names)
            if not called:
                called = True
                accepted()

        for n, entry in enumerate(self.entries, 1):
            if progress:
                print_lines([f"{entry.label} ({n} of {len(self.entries)})"], sys.stderr)
            yield run(
                entry,
                self._inputs,
                self._settings,
                progress=progress,
                names_known=names_known,
            )

    def judge(self, runs: Sequence[EngineRun]) -> Comparison:
        """Rates and differences, of as many runs as there are."""
        language = self._spoken(runs)
        names = next((run.names for run in runs if run.names), ())
        rows = tuple(self._row(run, language) for run in runs)
        pairs = tuple(
            _pair(first, second, language)
            for first, second in combinations([r for r in runs if r.transcripts], 2)
        )
        return Comparison(names, rows, pairs, language)

    def _spoken(self, runs: Sequence[EngineRun]) -> str | None:
        """The language of the texts, by whose rules words are counted."""
        specs = [run.entry.spec for run in runs if run.entry.spec]
        if any(spec.options.task == "translate" for spec in specs):
            return "en"
        is_requested = most_common(spec.options.language for spec in specs)
        return is_requested or most_common(t.language for r in runs for t in r.transcripts.values())

    def _row(self, run: EngineRun, language: str | None) -> ComparisonRow:
        items = tuple(run.transcripts.values())
        spec = run.entry.spec
        return ComparisonRow(
            run.entry.label,
            run.entry.engine,
            spec.model if spec else "",
            run.device,
            items,
            sum(t.duration_s or 0.0 for t in items),
            run.fetch_s,
            run.load_s,
            run.transcribe_s,
            run.peak_bytes,
            self._errors(items, language).rate,
            run.warnings,
            run.errors,
        )

    def _errors(self, transcripts: Iterable[Transcript], language: str | None) -> Errors:
        counted = (
            count(required, transcript.text, language)
            for transcript in transcripts
            if (required := self._references.of(transcript.name)) is not None
        )
        return sum(counted, Errors())


def _pair(first: EngineRun, second: EngineRun, language: str | None) -> Pair:
    both = [
        (transcript, second.transcripts[place])
        for place, transcript in first.transcripts.items()
        if place in second.transcripts
    ]
    errors = sum((count(a.text, b.text, language) for a, b in both), Errors())
    items = tuple(d for a, b in both for d in differences(a, b, language))
    return Pair(first.entry.label, second.entry.label, errors.rate, items)
