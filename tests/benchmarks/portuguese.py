"""Wrong words in Brazilian Portuguese, ours beside bare faster-whisper.

The speech is what lies beside the checkout, and with ``--constitution AUDIO TEXT`` half an hour of
Brazil's Constitution read aloud: AUDIO is the folder ``app/src/main/assets`` of the public
repository rafaelmaia8384/constituicao-em-audio-android, TEXT the file ``CSV/20130402_EMC72.csv``
of abjur/constituicao, both on GitHub. Only articles whose text no amendment has touched are taken.
Errors are counted behind Whisper's general normaliser alone, and behind the Portuguese one.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from whisper_normalizer.basic import BasicTextNormalizer

from hybrid_transcribe.comparison.portuguese import roman
from hybrid_transcribe.comparison.words import align, normaliser
from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks import speech
from tests.benchmarks.apart import apart
from tests.benchmarks.matrix import BARE, OURS, TOOL_OF, Texts, cache_folder, interval, key_of
from tests.benchmarks.speech import Recording, samples_of

LANGUAGE = "pt"

#: Files of the readings, and the articles in them.
READINGS: Mapping[str, range] = {
    "Titulo 1 Art 01 ao 04": range(1, 5),
    "Titulo 2 Art 14 ao 16": range(14, 17),
    "Titulo 3 Art 18 ao 19": range(18, 20),
    "Titulo 3 Art 32 ao 33": range(32, 34),
    "Titulo 4 Art 51": range(51, 52),
    "Titulo 4 Art 59": range(59, 60),
    "Titulo 4 Art 60": range(60, 61),
    "Titulo 4 Art 85 ao 86": range(85, 87),
    "Titulo 4 Art 87 e 88": range(87, 89),
    "Titulo 4 Art 89 e 90": range(89, 91),
    "Titulo 5 Art 136": range(136, 137),
    "Titulo 5 Art 137 ao 139": range(137, 140),
    "Titulo 5 Art 140 ao 141": range(140, 142),
    "Titulo 6 Art 163 ao 164": range(163, 165),
    "Titulo 8 Art 193": range(193, 194),
    "Titulo 8 Art 218 ao 219": range(218, 220),
}

#: Ordinals up to nine, cardinals from ten on, as the law's own articles are numbered.
_ORDINALS = "primeiro segundo terceiro quarto quinto sexto sétimo oitavo nono".split()


# ----------------------------------------------------------------------------- material


def constitution(audio: Path, text: Path) -> list[Recording]:
    """The readings, with the law's text as it is read aloud."""
    with text.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        _reading(audio / f"{name}.ogg", " ".join(_spoken(rows, articles)))
        for name, articles in READINGS.items()
    ]


def _reading(path: Path, text: str) -> Recording:
    return Recording(path.stem, str(path), text, LANGUAGE, len(samples_of(str(path))) / RATE_HZ)


def _spoken(rows: Sequence[Mapping[str, str]], articles: range) -> Iterator[str]:
    """Lines of the articles, with the headings right before them."""
    headings: list[str] = []
    for row in rows:
        # Title 10 are transitional rules, whose articles are numbered anew.
        if row["titulo"] == "10":
            return
        if row["classe"] == "titartb":
            headings.append(spoken_line(row["texto"]))
        elif row["artigo"].isdigit() and int(row["artigo"]) in articles:
            yield from headings
            headings = []
            yield spoken_line(row["texto"])
        else:
            headings = []


def spoken_line(line: str) -> str:
    """As it is read: "II - a cidadania;" is "inciso segundo a cidadania;".

    >>> spoken_line("II - a cidadania;"), spoken_line("a) nome;"), spoken_line("Título I: Do Povo")
    ('inciso segundo a cidadania;', 'alínea a nome;', 'título primeiro Do Povo')
    """
    item = re.match(r"([IVXLC]+) - (.*)", line, re.DOTALL)
    if item:
        return f"inciso {_counted(item[1])} {item[2]}"
    heading = re.match(r"(Título|Capítulo|Seção|Subseção) ([IVXLC]+): (.*)", line, re.DOTALL)
    if heading:
        number = _counted(heading[2])
        if heading[1] in ("Seção", "Subseção"):
            number = re.sub(r"o$", "a", number)
        return f"{heading[1].lower()} {number} {heading[3]}"
    return re.sub(r"^([a-z])\) ", r"alínea \1 ", line)


def _counted(numeral: str) -> str:
    number = roman(numeral.lower()) or 0
    return _ORDINALS[number - 1] if 0 < number <= len(_ORDINALS) else str(number)


# ------------------------------------------------------------------------------- running


def texts_of(
    side: str, recordings: Sequence[Recording], model: str, beam: int, label: str | None
) -> list[str]:
    """Texts of one side; those of bare are kept, and those of ours under a label."""
    name = side if side == BARE else f"{side}-{label}"
    path = cache_folder() / f"portuguese-{name}.jsonl"
    kept = Texts(path if side == BARE or label else None)
    keys = [key_of(recording, "as it is", model, beam) for recording in recordings]
    new = [i for i, key in enumerate(keys) if key not in kept]
    if new:
        with apart((TOOL_OF[side],), model, beam) as running:
            event = running[TOOL_OF[side]].hear([recordings[i] for i in new])
        kept.add({keys[i]: text for i, text in zip(new, event, strict=True)})
    return [kept[key] for key in keys]


def wrong(reference: str, text: str, normalise: Callable[[str], str]) -> tuple[int, int]:
    """Edits, and words of the reference."""
    first, second = normalise(reference).split(), normalise(text).split()
    stretches = align(first, second)
    return sum(max(len(s.first), len(s.second)) for s in stretches if not s.equal), len(first)


HEADER = """\
| speech | minutes | words | bare, general normaliser % | bare % | ours % | more (95 %) |
|---|---|---|---|---|---|---|"""


def line(
    title: str, recordings: Sequence[Recording], bare: Sequence[str], ours: Sequence[str]
) -> str:
    """A row of the table."""
    general, own = BasicTextNormalizer(), normaliser(LANGUAGE)
    plain = [wrong(r.text, text, general) for r, text in zip(recordings, bare, strict=True)]
    theirs = [wrong(r.text, text, own) for r, text in zip(recordings, bare, strict=True)]
    mine = [wrong(r.text, text, own) for r, text in zip(recordings, ours, strict=True)]
    low, high = interval([(a - b, n) for (a, n), (b, _) in zip(mine, theirs, strict=True)])
    n_words = sum(n for _, n in theirs)
    minutes = sum(recording.seconds for recording in recordings) / 60
    more = 100 * (sum(a for a, _ in mine) - sum(b for b, _ in theirs)) / n_words
    return (
        f"| {title} | {minutes:.1f} | {n_words} | {_rate(plain):.1f} | {_rate(theirs):.1f} "
        f"| {_rate(mine):.1f} | {more:+.1f} ({low:+.1f} to {high:+.1f}) |"
    )


def _rate(counts: Sequence[tuple[int, int]]) -> float:
    return 100 * sum(w for w, _ in counts) / max(sum(n for _, n in counts), 1)


def main(arguments: Sequence[str]) -> str:
    """The table as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks portuguese-accuracy", description=__doc__
    )
    parser.add_argument("--constitution", nargs=2, type=Path, metavar=("AUDIO", "TEXT"))
    parser.add_argument("--model", default="base")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--label", help="keep our texts under this name")
    options = parser.parse_args(arguments)
    material = {"beside the checkout": speech.references(LANGUAGE)}
    if options.constitution:
        material["the Constitution, read"] = constitution(*options.constitution)
    whole = [recording for recordings in material.values() for recording in recordings]
    bare, ours = (
        texts_of(side, whole, options.model, options.beam, options.label) for side in (BARE, OURS)
    )
    rows, at = [], 0
    for title, recordings in material.items():
        part = slice(at, at + len(recordings))
        rows.append(line(title, recordings, bare[part], ours[part]))
        at += len(recordings)
    rows.append(line("all", whole, bare, ours))
    return "\n".join([f"{options.model}, beam {options.beam}:", "", HEADER, *rows])


if __name__ == "__main__":
    print(main(sys.argv[1:]))
