"""Whether text from a trimmed window deserves a second look with the full one."""

from __future__ import annotations

from collections.abc import Sequence

#: Whisper's own limits for text that is tried again (openai-whisper's and faster-whisper's
#: ``compression_ratio_threshold`` and ``log_prob_threshold``).
COMPRESSION_RATIO = 2.4
AVG_LOGPROB = -1.0

#: More tokens of text a second than anybody speaks: fast English has four to five words a
#: second, of 1.3 tokens each; other alphabets take up to three tokens a word.
TOKENS_PER_S = 16.0

#: Tokens that may come on top, for what is very short.
TOKENS_MORE = 8

#: Shortest run of tokens that says the same twice at the end, "the press yard the press yard".
REPEATED = 3

#: Length of a run of tokens that nobody says twice within one piece, wherever it stands: of 60
#: utterances read in a row one came twice, with 16 words that nobody said.
REPEATED_RUN = 8


def reason(
    text: Sequence[int],
    *,
    seconds: float,
    avg_logprob: float,
    compression_ratio: float,
    ended: bool,
) -> str | None:
    """Why the text is doubtful, None where it is not.

    ``text`` are its tokens without timestamps, ``ended`` says whether the decoder gave the time
    at which they end.
    """
    if not text:
        return "nothing heard"
    if compression_ratio > COMPRESSION_RATIO:
        return "repeats itself"
    if avg_logprob < AVG_LOGPROB:
        return "unsure"
    if len(text) > TOKENS_PER_S * seconds + TOKENS_MORE:
        return "too much text"
    if not ended:
        return "no end"
    if repeated_end(text):
        return "same end twice"
    if repeated_run(text):
        return "says it twice"
    return None


def repeated_run(tokens: Sequence[int]) -> bool:
    """True when a run of `REPEATED_RUN` tokens comes again anywhere behind itself.

    >>> repeated_run([9, *range(8), 7, *range(8), 3]), repeated_run(range(40))
    (True, False)
    """
    first: dict[tuple[int, ...], int] = {}
    for start in range(len(tokens) - REPEATED_RUN + 1):
        run = tuple(tokens[start : start + REPEATED_RUN])
        if start - first.setdefault(run, start) >= REPEATED_RUN:
            return True
    return False


def repeated_end(tokens: Sequence[int]) -> bool:
    """True when the last run of three or more tokens says what the run before it said.

    >>> repeated_end([5, 1, 2, 3, 1, 2, 3]), repeated_end([1, 2, 1, 2]), repeated_end([1, 2, 3])
    (True, False, False)
    """
    n = len(tokens)
    return any(
        tokens[n - size :] == tokens[n - 2 * size : n - size]
        for size in range(REPEATED, n // 2 + 1)
    )
