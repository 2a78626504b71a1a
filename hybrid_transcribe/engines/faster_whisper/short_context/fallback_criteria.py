"""Whether text from a trimmed window deserves a second look with the full one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hybrid_transcribe.engines.common.disputed import FRAME_S, SPEECH, Samples
from hybrid_transcribe.engines.common.hallucinations import loud_enough
from hybrid_transcribe.engines.common.silero_vad import speech_probabilities
from hybrid_transcribe.types import RATE_HZ

#: Whisper's own limit for text that is tried again (openai-whisper's and faster-whisper's
#: ``compression_ratio_threshold``).
COMPRESSION_RATIO = 2.4

#: Text less sure than this (mean natural log-probability of a token) is decoded again in the
#: full window. Where Whisper is unsure, a little more or less silence changes its words. Over 167
#: English clips up to 24 s (3,956 words, tiny.en, beam 1) the rate of wrong words was 0.15 points
#: below faster-whisper's, with 95 % below +0.49, at Whisper's own limit of -1; at -0.8, -0.7, -0.6
#: and -0.5 it was 0.08, 0.48, 0.28 and 0.18 below, with 95 % below +0.53, -0.05, +0.10 and +0.12,
#: for 5, 10, 19 and 31 % of the clips decoded twice.
AVG_LOGPROB = -0.7

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

#: Fewer tokens a second than anybody speaks: read speech has 3 to 5, slow speech 2. A chapter's
#: heading was all that was left of 12 s (30 words) in a short window.
LEAST_TOKENS_PER_S = 1.2

#: Less speech (s) than this is not judged by its amount of text.
LEAST_SPEECH_S = 3.0


def too_little(
    n_tokens: int, samples: Samples, detect: Callable[[Samples], Samples] = speech_probabilities
) -> bool:
    """True where somebody speaks for longer than so few tokens take to say.

    ``samples`` are those that the tokens stand for. The detector (``detect``) only looks where
    there is little text for their length.
    """
    if n_tokens >= LEAST_TOKENS_PER_S * len(samples) / RATE_HZ:
        return False
    speech_s = _speech_s(samples, detect)
    return speech_s >= LEAST_SPEECH_S and n_tokens < LEAST_TOKENS_PER_S * speech_s


def voice_goes_on(
    samples: Samples, detect: Callable[[Samples], Samples] = speech_probabilities
) -> bool:
    """True where somebody speaks for `LEAST_SPEECH_S` in the samples that lie behind a text.

    A decoder may take a pause for the end: of 12.8 s only the chapter's heading was left, in the
    short window and, by the last bits of the features, in the full window as well.
    """
    if len(samples) < LEAST_SPEECH_S * RATE_HZ:
        return False
    return _speech_s(samples, detect) >= LEAST_SPEECH_S


def _speech_s(samples: Samples, detect: Callable[[Samples], Samples]) -> float:
    return float((detect(loud_enough(samples)) >= SPEECH).sum()) * FRAME_S


def reason(
    text: Sequence[int],
    *,
    seconds: float,
    avg_logprob: float,
    compression_ratio: float,
    ended: bool,
    least_logprob: float = AVG_LOGPROB,
) -> str | None:
    """Why the text is doubtful, None where it is not.

    ``text`` are its tokens without timestamps, ``ended`` says whether the decoder gave the time
    at which they end. Text below ``least_logprob`` is unsure.
    """
    if not text:
        return "nothing heard"
    if compression_ratio > COMPRESSION_RATIO:
        return "repeats itself"
    if avg_logprob < least_logprob:
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
