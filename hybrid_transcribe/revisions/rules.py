"""A text replaced wherever it stands: literally, or by a regular expression within bounds.

What a person types as an expression must never hang or fill the service. Python's own ``re`` says
whether it is one, in its own terms; the ``regex`` library, which can be timed out, runs it. It
writes repeats of a fixed number out, so their product is limited (``(a{1000}){1000}`` nested once
more took 24 GB), and what only ``regex`` understands (recursion, fuzzy matches) is refused.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Callable
from typing import Any
from unicodedata import normalize

import regex

from hybrid_transcribe.errors import InvalidEdit
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import ReplaceAll
from hybrid_transcribe.revisions.characters import UNSPACED
from hybrid_transcribe.revisions.documents import MOST_CHARACTERS
from hybrid_transcribe.revisions.draft import check_unicode

#: Most characters of what is to be replaced, and of what replaces it.
MOST_PATTERN = 500
MOST_REPLACEMENT = 10_000

#: Most repeats of a regular expression, all its ``{n}`` multiplied.
MOST_REPEATS = 1_000

#: So long may the search for a rule take in a whole document, in seconds of this thread's CPU:
#: on a busy machine it takes longer, and is no worse a rule. An expression that a person would
#: write takes 0.05 s for 60,000 words.
BUDGET_S = 1.0

_REPEAT = re.compile(r"\{([0-9]*),?([0-9]*)\}")

# What `regex` takes for a fuzzy match, and `re` for plain text: "{e<=3}".
_FUZZY = re.compile(r"\{[^{}]*[a-zA-Z<][^{}]*\}")

# A letter, digit or mark of a script that has spaces between words, and a place that is between
# two of them. Unlike \b it lets "(" be the first character of a whole word.
_LETTER = rf"(?!{UNSPACED})[\w\p{{M}}]"
_NOT_WITHIN = rf"(?:(?<!{_LETTER})|(?!{_LETTER}))(?!\p{{M}})"

_SPACES = re.compile(r"[ \t]{2,}")


class Replacer:
    """One rule for all segments of a document. Raises InvalidEdit for one that cannot be."""

    def __init__(self, rule: ReplaceAll, clock: Callable[[], float] = time.thread_time) -> None:
        self._rule = rule
        self._clock = clock
        self._left_s = BUDGET_S
        self._find = rule.find if rule.regex else normalize("NFC", rule.find)
        self._pattern = _regex(rule) if rule.regex else _literal(self._find, rule)
        self._replacement = _template(self._pattern, rule) if rule.regex else None

    def replaced(self, text: str) -> str | None:
        """The text with the rule applied; None where that changes nothing."""
        # However accents are composed. Only a text in which it stands is composed anew.
        source = text if self._rule.regex else normalize("NFC", text)
        # A match of nothing is no text that could be replaced.
        matches = [match for match in self._matches(source) if match.end() > match.start()]
        if not matches:
            return None
        result = self._replace(source, matches)
        if not self._rule.replacement:
            result = _SPACES.sub(" ", result)
        result = result.strip()
        return None if result == text.strip() else result

    def _replace(self, text: str, matches: list[Any]) -> str:
        parts: list[str] = []
        size = reached = 0
        for match in matches:
            parts += (text[reached : match.start()], self._expanded(match))
            size += len(parts[-2]) + len(parts[-1])
            reached = match.end()
            if size > MOST_CHARACTERS:
                raise InvalidEdit(UserMessage("edit_text_long", n=size, most=MOST_CHARACTERS))
        return "".join((*parts, text[reached:]))

    def _matches(self, text: str) -> list[Any]:
        if self._left_s <= 0:
            raise self._slow()
        before_s = self._clock()
        try:
            return list(self._pattern.finditer(text, timeout=self._left_s))
        except TimeoutError:
            raise self._slow() from None
        except (MemoryError, RecursionError) as error:
            raise _bad(self._rule.find, error) from None
        finally:
            self._left_s -= self._clock() - before_s

    def _slow(self) -> InvalidEdit:
        return InvalidEdit(UserMessage("edit_regex_slow", value=self._rule.find, most=BUDGET_S))

    def _expanded(self, match: Any) -> str:
        if self._replacement is None:
            return self._rule.replacement
        return str(self._replacement(match))


def _literal(find: str, rule: ReplaceAll) -> Any:
    if not find.strip():
        raise InvalidEdit(UserMessage("edit_find_empty"))
    _check_sizes(rule)
    flags = 0 if rule.match_case else regex.IGNORECASE | regex.FULLCASE
    return regex.compile(_bordered(regex.escape(find, special_only=True), rule), flags)


def _bordered(source: str, rule: ReplaceAll) -> str:
    """The expression, ending where a character does, and where a word does if need be."""
    if rule.whole_words:
        return f"{_NOT_WITHIN}(?:{source}){_NOT_WITHIN}"
    return source if rule.regex else rf"{source}(?!\p{{M}})"


def _regex(rule: ReplaceAll) -> Any:
    if not rule.find:
        raise InvalidEdit(UserMessage("edit_find_empty"))
    _check_sizes(rule)
    _check_repeats(rule.find)
    flags = 0 if rule.match_case else re.IGNORECASE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(rule.find, flags)
            return regex.compile(_bordered(rule.find, rule), flags)
    except (re.error, regex.error, OverflowError, RecursionError, ValueError, Warning) as error:
        raise _bad(rule.find, error) from None


def _check_sizes(rule: ReplaceAll) -> None:
    for name, value, most in (
        ("find", rule.find, MOST_PATTERN),
        ("replacement", rule.replacement, MOST_REPLACEMENT),
    ):
        check_unicode(value)
        if len(value) > most:
            raise InvalidEdit(UserMessage("edit_rule_long", name=name, n=len(value), most=most))


def _check_repeats(find: str) -> None:
    repeats = 1
    for match in _REPEAT.finditer(find):
        repeats *= max(1, *(int(n[:9] or 1) for n in match.groups()))
    if repeats > MOST_REPEATS or _FUZZY.search(find):
        raise InvalidEdit(UserMessage("edit_regex_large", value=find, most=MOST_REPEATS))


def _template(pattern: Any, rule: ReplaceAll) -> Callable[[Any], str]:
    """Fills the groups that the replacement names. Raises InvalidEdit where one is not there."""
    try:
        # Any match will do: it names its groups, whether they took part or not.
        regex.compile(f"(?:{pattern.pattern})|").search("").expand(rule.replacement)
    except (regex.error, IndexError, KeyError, ValueError) as error:
        message = UserMessage("edit_replacement", value=rule.replacement, why=str(error))
        raise InvalidEdit(message) from None
    return lambda match: str(match.expand(rule.replacement))


def _bad(find: str, error: Exception) -> InvalidEdit:
    return InvalidEdit(UserMessage("edit_regex", value=find, why=str(error)))
