"""What every writer promises, ours and those of other packages."""

from __future__ import annotations

import pytest
from hypothesis import given

from hybrid_transcribe.errors import UnknownFormat
from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.types import Transcript
from tests.outputs.examples import transcript, transcripts


@pytest.fixture(params=WRITERS.names(), scope="module")
def writer(request: pytest.FixtureRequest) -> Writer:
    """Each registered writer in turn."""
    return WRITERS.make(request.param)


class TestWriterContract:
    def test_it_tells_an_extension_without_a_dot_and_a_media_type(self, writer: Writer) -> None:
        """Downloads get a file name and a content type from the writer alone."""
        assert writer.extension.isalnum()
        assert "/" in writer.media_type

    def test_the_text_of_every_segment_is_in_the_file(self, writer: Writer) -> None:
        """Nothing that was said is lost, in any language."""
        written = writer.write(transcript("Olá, mundo.", "你好世界", "مرحبا"))

        assert all(text in written for text in ("Olá, mundo.", "你好世界", "مرحبا"))

    @given(heard=transcripts)
    def test_it_writes_whatever_an_engine_hands_over(
        self, writer: Writer, heard: Transcript
    ) -> None:
        """Any transcript gives text that UTF-8 can hold and that ends with one line's end."""
        written = writer.write(heard)

        assert written == "" or written.encode().endswith(b"\n")

    @given(heard=transcripts)
    def test_the_same_transcript_gives_the_same_file(
        self, writer: Writer, heard: Transcript
    ) -> None:
        """Writers keep no state and read no clock."""
        assert writer.write(heard) == writer.write(heard)

    def test_a_transcript_without_segments_is_a_file_too(self, writer: Writer) -> None:
        """Silence is a result, not an error."""
        assert isinstance(writer.write(transcript()), str)


def test_an_unknown_format_is_answered_with_those_there_are() -> None:
    """A wrong format's message names the value and the choices."""
    with pytest.raises(UnknownFormat, match=r"'docx'.*txt, srt, vtt, tsv, json"):
        WRITERS.make("docx")
