"""Special tokens of a Whisper model, from the ``tokenizer.json`` beside its weights."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage

_LANGUAGE = re.compile(r"<\|[a-z]{2,3}\|>")

#: Timestamps a model knows: 0.00 s to 30.00 s in steps of 0.02 s.
_TIMES = tuple(f"<|{n * 0.02:.2f}|>" for n in range(1501))


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A ``tokenizer.json`` and the numbers of its special tokens."""

    content: Mapping[str, Any]
    ids: Mapping[str, int]

    def id_of(self, token: str) -> int:
        """The token's number. Raises ModelUnavailable for a tokenizer that is no Whisper's."""
        if token not in self.ids:
            raise ModelUnavailable(UserMessage("tokenizer_lacks", token=token))
        return self.ids[token]

    @property
    def languages(self) -> dict[str, int]:
        """Tokens of languages (``<|pt|>``) to their numbers."""
        return {token: n for token, n in self.ids.items() if _LANGUAGE.fullmatch(token)}

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """The pieces of words, special tokens apart."""
        mapping: Mapping[str, int] = self.content["model"]["vocab"]
        return mapping

    @property
    def merges(self) -> list[str]:
        """Pairs of pieces that become one, in order. Newer files hold each as a list of two."""
        pairs = self.content["model"]["merges"]
        return [pair if isinstance(pair, str) else " ".join(pair) for pair in pairs]

    def with_times(self) -> dict[str, Any]:
        """The file's content with tokens for times, which older ones leave out."""
        first = self.id_of("<|notimestamps|>") + 1
        added = list(self.content["added_tokens"])
        times = [t for t in enumerate(_TIMES, first) if t[1] not in self.ids]
        added += [_added(number, text) for number, text in times]
        return {**self.content, "added_tokens": added}


def _added(number: int, text: str) -> dict[str, Any]:
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    return {"id": number, "content": text, **plain}


def read(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder. Raises ModelUnavailable where it cannot be used."""
    path = folder / "tokenizer.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ids = {token["content"]: int(token["id"]) for token in content["added_tokens"]}
        tokenizer = Tokenizer(content, ids)
        if not isinstance(tokenizer.vocabulary, dict) or not isinstance(tokenizer.merges, list):
            raise ValueError("no pieces of words")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(UserMessage("file_unusable", path=path, why=repr(error))) from error
    return tokenizer
