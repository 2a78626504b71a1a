"""Characters and the pieces that a text is made of, in whatever script.

A *token* is what two texts are compared by: a run of letters, digits and their marks; a single
character, with its marks, of a script that writes no space between words; any other sign.
Places in a text are indexes of Python's ``str``: code points.
"""

from __future__ import annotations

from functools import lru_cache

import regex

#: Scripts without spaces between words, with the punctuation and full-width signs of East Asia.
#: Whisper cuts them by character, too. Korean and Ethiopic have spaces.
UNSPACED = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
    r"\p{Javanese}\p{Balinese}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Yi}"
    r"\u3000-\u303f\u30fb\u30fc\uff00-\uffef]"
)

_is_unspaced = regex.compile(UNSPACED).match

# Joiners without width (Persian, Indic scripts) are within a word; marks belong to their letter.
_TOKEN = regex.compile(rf"(?:(?!{UNSPACED})[\p{{L}}\p{{N}}\p{{M}}_\u200c\u200d])+|(?=\S)\X|\S")

_CHUNK = regex.compile(r"\S+")
_GRAPHEME = regex.compile(r"\X")
_OPENING = regex.compile(r"[\p{Ps}\p{Pi}]")
_PUNCTUATION = regex.compile(r"\p{P}")

#: A place in a text: where something begins, and where it ends, exclusive.
TextSpan = tuple[int, int]


def tokens(text: str) -> list[TextSpan]:
    """Where the tokens of a text are, in order; space is in none of them.

    >>> ["don't 東京!"[a:b] for a, b in tokens("don't 東京!")]
    ['don', "'", 't', '東', '京', '!']
    """
    return [match.span() for match in _TOKEN.finditer(text)]


def chunks(text: str) -> list[TextSpan]:
    """Where the stretches between spaces are: the words of a script that has spaces."""
    return [match.span() for match in _CHUNK.finditer(text)]


def graphemes(text: str) -> list[TextSpan]:
    """Where the characters are as people see them, each with its marks."""
    return [match.span() for match in _GRAPHEME.finditer(text)]


def at_grapheme(text: str, place: int) -> int:
    """The nearest place at or before ``place`` that is not within a character.

    >>> at_grapheme("cafe\\u0301s", 4)
    3
    """
    # No character goes on behind a space.
    begin = max(0, text.rfind(" ", 0, max(0, place)))
    for match in _GRAPHEME.finditer(text, begin):
        if match.end() > place:
            return int(match.start())
    return place


@lru_cache(maxsize=4096)
def is_unspaced(character: str) -> bool:
    """Whether it is of a script that writes no space between words."""
    return _is_unspaced(character) is not None


def may_divide(text: str, place: int) -> bool:
    """Whether two words may meet there without a space between: where the script writes none.

    Punctuation stays with the word that it closes, or opens.
    """
    before, after = text[place - 1], text[place]
    if not (is_unspaced(before) or is_unspaced(after)):
        return False
    closes = _PUNCTUATION.match(after) and not _OPENING.match(after)
    return not closes and not _OPENING.match(before)


def joined(first: str, second: str) -> str:
    """Two texts as one: with a space between, but where the script writes none.

    >>> joined("bom", "dia"), joined("東京", "です")
    ('bom dia', '東京です')
    """
    first, second = first.strip(), second.strip()
    if not first or not second:
        return first or second
    glued = is_unspaced(first[-1]) and is_unspaced(second[0])
    return f"{first}{second}" if glued else f"{first} {second}"


def is_blank(text: str) -> bool:
    """Whether nobody sees anything of a text."""
    return not any(c.isprintable() and not c.isspace() for c in text)
