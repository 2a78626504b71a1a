"""How much text goes before what a Whisper model hears: prompt, hotwords, earlier text.

Its decoder holds 448 tokens. Half are for what is heard; OpenAI's code leaves one of the other half
for the token that says that text from before follows. Names come first and keep half of that at
most, so that the text just before always has its place.
"""

from __future__ import annotations

from collections.abc import Callable

from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Options


def room_of(context: int) -> int:
    """Tokens of text before, for a model whose decoder holds ``context`` tokens.

    >>> room_of(448)
    223
    """
    return context // 2 - 1


def hotwords_room_of(context: int) -> int:
    """Tokens of hotwords.

    >>> hotwords_room_of(448)
    111
    """
    return room_of(context) // 2


def length_notices(
    options: Options, context: int, count: Callable[[str], int], *, hotwords: bool = True
) -> list[str]:
    """What is cut of an initial prompt and of hotwords, one line each.

    ``count`` gives the tokens of a text; without ``hotwords`` the engine takes none.
    """
    room = room_of(context)
    notices: list[str] = []
    if hotwords and options.hotwords:
        n_tokens, n_kept = count(options.hotwords), hotwords_room_of(context)
        if n_tokens > n_kept:
            notices.append(UserMessage("hotwords_cut", n_kept=n_kept, n=n_tokens))
        room -= min(n_tokens, n_kept)
    if options.initial_prompt:
        n_tokens = count(options.initial_prompt)
        if n_tokens > room:
            notices.append(UserMessage("prompt_cut", n_kept=room, n=n_tokens))
    return notices
