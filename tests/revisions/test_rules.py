"""A text replaced wherever it stands."""

from __future__ import annotations

import itertools

import pytest

from hybrid_transcribe.errors import InvalidEdit
from hybrid_transcribe.revision_types import Document, ReplaceAll
from hybrid_transcribe.revisions import apply
from hybrid_transcribe.revisions.rules import BUDGET_S, MOST_PATTERN, Replacer
from hybrid_transcribe.types import Segment
from tests.revisions.documents import document, ids, texts


def replaced(text: str, find: str, replacement: str, **how: bool) -> str | None:
    """A text with a rule applied."""
    return Replacer(ReplaceAll(find, replacement, **how)).replaced(text)


@pytest.mark.parametrize(
    ("text", "find", "replacement", "expected"),
    [
        ("Cat catalog CAT", "cat", "dog", "dog catalog dog"),
        ("a.b axb", "a.b", r"\1", r"\1 axb"),
        ("use C++ now", "C++", "Rust", "use Rust now"),
        ("C++x", "C++", "Rust", "Rustx"),
        ("(um) sim", "(um)", "[hum]", "[hum] sim"),
        ("é e", "e", "x", "é x"),
        ("um cafe\u0301 bom", "café", "chá", "um chá bom"),
        ("um café bom", "cafe\u0301", "chá", "um chá bom"),
        ("cafe\u0301", "cafe", "x", None),
        ("私は東京に住む", "東京", "大阪", "私は大阪に住む"),
        ("ที่นี่ดี", "ดี", "x", "ที่นี่x"),
        ("ที่นี่น้ำ", "นี", "x", None),
        ("STRASSE Straße", "straße", "Weg", "Weg Weg"),
        ("I, uh think uh", "uh", "", "I, think"),
        ("two words here", "two words", "one", "one here"),
        ("same", "same", "same", None),
        ("nothing", "x", "y", None),
    ],
)
def test_a_plain_text(text: str, find: str, replacement: str, expected: str | None) -> None:
    """As a whole word, in whatever case, and never a part of a character."""
    assert replaced(text, find, replacement) == expected


def test_case_and_parts_of_words() -> None:
    """When asked for."""
    assert replaced("Cat cat", "cat", "x", match_case=True) == "Cat x"
    assert replaced("Cat catalog", "cat", "x", whole_words=False) == "x xalog"
    assert replaced("cafe\u0301s", "cafe", "x", whole_words=False) is None


@pytest.mark.parametrize(
    ("text", "find", "replacement", "expected"),
    [
        ("em 12 de maio", r"(\d+) de (\w+)", r"\2 \1", "em maio 12"),
        ("Ana Lima", r"(?P<first>\w+) (?P<last>\w+)", r"\g<last>, \g<first>", "Lima, Ana"),
        ("(música) sim [riso]", r"[\[(].*?[\])]", "", "sim"),
        ("ação açã", r"aç\w", "x", "ação x"),
        ("aaa", "x*", "-", None),
        ("a b", r"(a)|(c)", r"[\1\2]", "[a] b"),
        ("x", "x", r"\\", "\\"),
        ("um  dois", r"\s+", " ", "um dois"),
    ],
)
def test_a_regular_expression(text: str, find: str, replacement: str, expected: str | None) -> None:
    """Python's own; a match of nothing is no text."""
    assert replaced(text, find, replacement, regex=True) == expected


@pytest.mark.parametrize(
    ("find", "replacement", "regex", "names"),
    [
        ("", "x", False, "find is empty"),
        ("  ", "x", False, "find is empty"),
        ("", "x", True, "find is empty"),
        ("(", "", True, r"find='\(' is no regular expression: missing \)"),
        ("a**", "", True, "multiple repeat"),
        ("(?R)", "", True, "unknown extension"),
        ("[[a]", "", True, "Possible nested set"),
        ("a{99999999999999999999}", "", True, "at most"),
        ("(?:(?:(?:a{100}){100}){100}){100}", "", True, "1000 at most"),
        ("a{e<=3}", "", True, "braces may be nothing else"),
        ("x", r"\3", True, r"replacement='\\\\3' does not go with find"),
        ("x", r"\g<who>", True, "does not go with find"),
        ("x", "\\", True, "does not go with find"),
        ("x" * (MOST_PATTERN + 1), "", True, "find has 501 characters; at most 500"),
        ("x", "y" * 10_001, False, "replacement has 10001 characters"),
    ],
)
def test_what_is_no_rule_says_why(find: str, replacement: str, regex: bool, names: str) -> None:
    """Whether it stands anywhere or not."""
    with pytest.raises(InvalidEdit, match=names):
        apply(document("nothing of it"), [ReplaceAll(find, replacement, regex=regex)], 1)


@pytest.mark.parametrize("find", [r"(a|aa)+$", r"(a?){30}a{30}b", r"(.*?,){20}x", r"(\w+\s?)*!"])
def test_no_expression_takes_long(find: str) -> None:
    """One that backtracks for years is refused when its time is over, or is done."""
    base = document("a" * 200 + "b", "a," * 400, "hello world " * 400)
    rule = ReplaceAll(find, "", regex=True, whole_words=False)
    assert refusal(base, rule) in ("", "edit_regex_slow")


def refusal(base: Document, rule: ReplaceAll) -> str:
    """The code of why a rule is refused, empty where it is done."""
    try:
        apply(base, [rule], 1)
    except InvalidEdit as error:
        return error.info().reason
    return ""


def test_an_expression_that_would_take_years_is_refused() -> None:
    """It is said, and the text is as it was."""
    base = document("a" * 200 + "b")
    rule = ReplaceAll(r"(a|aa)+$", "", regex=True, whole_words=False)
    assert refusal(base, rule) == "edit_regex_slow"


def test_the_time_is_for_the_whole_document() -> None:
    """Many segments that take a little each come to an end, too."""
    seconds = itertools.count(step=BUDGET_S / 8)
    replacer = Replacer(ReplaceAll("a", "b"), clock=lambda: next(seconds))
    assert [replacer.replaced("a") for _ in range(8)] == ["b"] * 8
    with pytest.raises(InvalidEdit, match="takes more than 1 s"):
        replacer.replaced("a")


def test_texts_that_grow_without_bound_are_refused() -> None:
    """Before they fill the memory."""
    with pytest.raises(InvalidEdit, match="at most 1000000"):
        replaced("a" * 1000, "a", "b" * 10_000, whole_words=False)


def test_only_in_some_segments() -> None:
    """Where they are named; words elsewhere stay."""
    base = document("um e dois", "um só")
    after = apply(base, [ReplaceAll("um", "Um", segment_ids=("1.1",))], 1)
    assert texts(after) == ["um e dois", "Um só"]
    assert after.segments[1].words[0].probability is None
    assert after.segments[1].words[1] == base.segments[1].words[1]


def test_a_segment_of_which_nothing_is_left_goes() -> None:
    """As when fillers are taken out everywhere."""
    after = apply(document("Hum", "sim, hum", "hum."), [ReplaceAll("hum", "")], 1)
    assert (texts(after), ids(after)) == (["sim,", "."], ["1.1", "1.2"])


def test_a_replacement_must_be_text() -> None:
    """Half of a character is none."""
    base = Document((Segment(0, 1, "a", id="1.0"),))
    with pytest.raises(InvalidEdit, match="half of a character"):
        apply(base, [ReplaceAll("a", "\ud800")], 1)
