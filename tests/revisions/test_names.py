"""Names that people gave, when a stage tells speakers apart again."""

from __future__ import annotations

from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.revisions import keep_names
from hybrid_transcribe.types import Segment, Speaker


def document(labels: str, *speakers: Speaker) -> Document:
    """A segment a second, each said by the speaker of that number."""
    segments = [
        Segment(float(n), n + 1.0, f"word {n}", speaker=f"S{label}", id=f"1.{n}")
        for n, label in enumerate(labels)
    ]
    return Document(tuple(segments), speakers)


def test_a_name_goes_to_who_speaks_where_the_named_one_did() -> None:
    """Also where the labels are others now."""
    base = document("11221", Speaker("S1", "Ana", "#ff0000"), Speaker("S2", "Rui"))
    again = document("22112", Speaker("S2"), Speaker("S1"))
    assert keep_names(base, again).speakers == (
        Speaker("S2", "Ana", "#ff0000"),
        Speaker("S1", "Rui"),
    )


def test_nobody_has_the_name_of_two() -> None:
    """The third one has none; two that are one now have the name of who spoke longer."""
    base = document("11222", Speaker("S1", "Ana"), Speaker("S2", "Rui"))
    three = document("11223", Speaker("S1"), Speaker("S2"), Speaker("S3"))
    assert [s.name for s in keep_names(base, three).speakers] == ["Ana", "Rui", ""]
    single = document("11111", Speaker("S1"))
    assert [s.name for s in keep_names(base, single).speakers] == ["Rui"]


def test_a_name_of_the_stage_stays() -> None:
    """A voice that is known is no guess."""
    base = document("12", Speaker("S1", "Ana"))
    again = document("12", Speaker("S1", "Eva"), Speaker("S2"))
    assert keep_names(base, again) == again
