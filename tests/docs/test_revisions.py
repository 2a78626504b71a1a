"""The page about revisions: its JSON is what the program reads, and names all there is."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

import msgspec

from hybrid_transcribe.revision_types import EditOperation
from hybrid_transcribe.revisions import apply, fault, operation_name, operation_names
from hybrid_transcribe.types import Speaker
from tests.docs.pages import ROOT, blocks
from tests.revisions.documents import document

PAGE = ROOT / "docs" / "revisions.md"


def test_every_operation_is_on_the_page() -> None:
    """As JSON that is read, and that can be done as it stands there."""
    (block,) = blocks(PAGE, "json")
    operations = msgspec.json.decode(block.text, type=list[EditOperation])
    assert list(dict.fromkeys(map(operation_name, operations))) == operation_names()
    speakers = [Speaker("S1"), Speaker("S2"), Speaker("S3")]
    base = document(*["at 3 o'clock in Lisbon"] * 7, speakers=speakers)
    after = apply(base, operations, 1)
    assert fault(after) is None
    assert {segment.text for segment in after.segments} >= {
        "Yes.",
        "at 3",
        "Good morning, everybody",
    }


def test_what_the_page_prints_is_so() -> None:
    """Each example's output stands behind it."""
    printed = []
    for block in blocks(PAGE, "python"):
        with redirect_stdout(StringIO()) as output:
            exec(block.text, {})
        printed.append(output.getvalue())
    assert printed == [block.text for block in blocks(PAGE, "text")]
