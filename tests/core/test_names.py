"""Names that people gave to files."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hybrid_transcribe.core.names import (
    MAX_NAME,
    MAX_NAME_BYTES,
    UniqueNames,
    display_name,
    file_stem,
    folded,
    new_id,
    unique,
    user_path,
)

# Any text, and text made of what names are attacked with.
NAMES = (
    st.text()
    | st.text(st.sampled_from("a./\\:\x00\n\u202e\u2028\u00a0\u0301é語😀CON1¹\ud800-_\u3164"))
    | st.text(min_size=100, max_size=400)
)


class TestDisplayName:
    @given(name=NAMES)
    @example("\u3164\u2800")
    @example("\u0301")
    def test_something_can_be_seen(self, name: str) -> None:
        """No name is empty, blank or made of dots."""
        label = display_name(name)

        assert any(unicodedata.category(c)[0] in "LNPS" for c in label.strip(". "))
        assert label == label.strip()

    @given(name=NAMES)
    def test_nothing_hides_reorders_or_breaks_text(self, name: str) -> None:
        """Control, bidirectional and separating characters are gone."""
        label = display_name(name)

        assert not [c for c in label if unicodedata.category(c)[0] == "C"]
        assert not [c for c in label if unicodedata.category(c)[0] == "Z" and c != " "]
        assert not set(label) & set("/\\")

    @given(name=NAMES)
    @example("語" * 200 + ".m4a")
    @example("😀" * 200)
    def test_every_file_system_takes_its_length(self, name: str) -> None:
        """Length is bound in characters and in bytes."""
        label = display_name(name)

        assert len(label) <= MAX_NAME
        assert len(label.encode()) <= MAX_NAME_BYTES <= 240

    @given(name=NAMES)
    def test_once_is_enough(self, name: str) -> None:
        """A shown name is shown as it is."""
        assert display_name(display_name(name)) == display_name(name)

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("talk.m4a", "talk.m4a"),
            ("folder/sub\\talk.m4a", "talk.m4a"),
            ("folder/", "folder"),
            ("cafe\u0301.wav", "café.wav"),
            ("invoice\u202egpj.wav", "invoicegpj.wav"),
            ("two\u00a0words.wav", "two words.wav"),
            ("家族.wav", "家族.wav"),
            ("...", "recording"),
            ("", "recording"),
        ],
    )
    def test_people_recognise_their_files(self, name: str, shown: str) -> None:
        """Ordinary names stay, whatever the language."""
        assert display_name(name) == shown

    def test_a_long_name_keeps_its_extension(self) -> None:
        """People still see what kind of file it is."""
        assert display_name("x" * 4000 + ".m4a").endswith("x….m4a")


class TestFileStem:
    @given(name=NAMES)
    @example("con .txt")
    @example("lpt².tar.gz")
    def test_every_system_takes_it(self, name: str) -> None:
        """No forbidden character, no device of Windows, no dot or space at an end."""
        stem = file_stem(name)
        device = stem.split(".")[0].strip().upper()

        assert stem
        assert not set(stem) & set('<>:"/\\|?*')
        assert stem.strip(". ") == stem
        assert device not in {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
        assert not (device[:3] in {"COM", "LPT"} and device[3:] in set("0123456789¹²³"))

    @given(name=NAMES)
    def test_a_number_and_an_extension_still_fit(self, name: str) -> None:
        """What is added to make a name unique keeps it below 255 bytes."""
        assert len(f"{file_stem(name)} (10000).json".encode()) <= 255

    @pytest.mark.parametrize(
        ("name", "stem"),
        [
            ("talk.m4a", "talk"),
            ("talk.part.m4a", "talk.part"),
            ("Dr. Silva", "Dr. Silva"),
            ("nul.wav", "_nul"),
            (".hidden", "hidden"),
            ("12:30.wav", "12_30"),
        ],
    )
    def test_only_the_extension_goes(self, name: str, stem: str) -> None:
        """People recognise their recordings in a zip."""
        assert file_stem(name) == stem


class TestUnique:
    @given(
        stems=st.lists(st.sampled_from(["a", "A", "a (2)", "é", "e\u0301", "ß", "SS", "ſ", "s"]))
    )
    def test_no_two_names_are_one_to_any_system(self, stems: list[str]) -> None:
        """Names that differ in case or in how accents are composed count as the same."""
        names = UniqueNames()
        given_out = [names.take(stem, ".txt") for stem in stems]

        assert len({folded(name) for name in given_out}) == len(stems)

    @given(stems=st.lists(st.sampled_from(["a", "A", "a (2)", "b"])))
    def test_the_first_of_a_name_keeps_it(self, stems: list[str]) -> None:
        """The two ways to make names unique agree."""
        names, taken = UniqueNames(), set[str]()
        for stem in stems:
            name = unique(stem, taken, ".txt")
            taken.add(folded(name))

            assert names.take(stem, ".txt") == name


def test_ids_are_random() -> None:
    """Ids have 128 bits and are never the same."""
    assert len({new_id() for _ in range(100)}) == 100
    assert len(new_id()) == 32


def test_one_stem_of_two_files_is_told_apart() -> None:
    """The text of a film and of its sound are two files that say whose they are."""
    names = UniqueNames()
    taken = [names.take_for(n, ".srt") for n in ("a.mp4", "a.wav", "A.MP4", "b/a.wav", "a")]

    assert taken == ["a.srt", "a.wav.srt", "A (2).srt", "a.wav (2).srt", "a (3).srt"]


def test_a_name_that_begins_with_a_tilde_is_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home is meant where there is no such file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "~").mkdir()

    assert user_path("~no-such-user/x.wav") == Path("~no-such-user/x.wav")
    assert user_path("~/x.wav") == tmp_path / "home" / "x.wav"
    (tmp_path / "~" / "x.wav").touch()
    assert user_path("~/x.wav") == Path("~/x.wav")
