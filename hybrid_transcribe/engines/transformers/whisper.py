"""A Whisper checkpoint on torch, through the parts of transformers that stay from 4.46 to 5.

Whisper's own ``generate`` there hides its windows, changes with every other version and gives
neither probabilities nor a way out. Used here are the encoder, one ``forward`` and the plain
``generate`` of every model, behind Whisper's published processors of logits.

Imports torch and transformers, so it is imported only when a model is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTimeStampLogitsProcessor,
)
from transformers import __version__ as transformers_version
from transformers.generation import GenerationMixin
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils import logging

from hybrid_transcribe.engines.common.languages import LANGUAGES
from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted
from hybrid_transcribe.engines.transformers.distil import stretch_s
from hybrid_transcribe.engines.transformers.model import (
    GeneratedText,
    GenerationOptions,
    Vocabulary,
    WindowStatistics,
)
from hybrid_transcribe.engines.transformers.words import POSITION_S, Alignment, starts_of
from hybrid_transcribe.types import RATE_HZ

#: Vocabularies from this size on are multilingual (openai-whisper's own rule), where the
#: checkpoint does not say.
_MULTILINGUAL_FROM = 51_865

#: Latest beginning of a window's first text, in steps of 0.02 s (openai-whisper: 1 s).
_LATEST_START = 50

#: Positions in time over which attention is smoothed (openai-whisper's medfilt_width).
_SMOOTH = 7


def _never() -> bool:
    return False


class Whisper:
    """A loaded checkpoint, used by one thread at a time (see `transformers.model.Model`)."""

    def __init__(
        self,
        network: Any,
        extractor: Any,
        vocabulary: Vocabulary,
        config: Mapping[str, Any],
        name: str,
    ) -> None:
        self.vocabulary = vocabulary
        self.context = int(network.config.max_target_positions)
        self.stretch_s = stretch_s(config, name)
        self._network = network
        self._extractor = extractor
        self._canceled: Callable[[], bool] = _never
        self._take_over(network.generation_config)
        self._hooks = [layer.register_forward_pre_hook(self._heed) for layer in self._layers()]

    def _take_over(self, value: Any) -> None:
        """Keep what the checkpoint says of decoding, and let `generate` start from nothing.

        Otherwise it would mix into every call whatever the file says, deprecated or not.
        """
        self._suppressed = frozenset(value.suppress_tokens or ())
        self._suppressed_first = list(value.begin_suppress_tokens or ())
        latest = getattr(value, "max_initial_timestamp_index", None)
        self._latest_start = _LATEST_START if latest is None else int(latest)
        self._heads = _heads(getattr(value, "alignment_heads", None), self._network.config)
        self.aligns = bool(self._heads)
        self._network.generation_config = GenerationConfig()

    # --------------------------------------------------------------------- canceling

    @contextmanager
    def interruptible(self, canceled: Callable[[], bool]) -> Iterator[None]:
        """Within this, the next layer raises Interrupted once ``canceled`` says so.

        Every layer, as one window takes the encoder of a large model many seconds on a CPU.
        """
        self._canceled = canceled
        try:
            yield
        finally:
            self._canceled = _never

    def _heed(self, *_: Any) -> None:
        if self._canceled():
            raise DecodingInterrupted

    def _layers(self) -> Iterator[Any]:
        yield from self._network.model.encoder.layers
        yield from self._network.model.decoder.layers

    # ------------------------------------------------------------------------ hearing

    def encode(self, windows: Sequence[npt.NDArray[np.float32]]) -> list[Any]:
        """One tensor (positions, width) a window."""
        self._heed()
        features = self._extractor(list(windows), sampling_rate=RATE_HZ, return_tensors="pt")
        value = features.input_features.to(self._network.device, self._network.dtype)
        return list(self._network.get_encoder()(value).last_hidden_state)

    def look(self, encodings: Sequence[Any]) -> list[WindowStatistics]:
        """Asked of the start token alone: text before a window would sway both answers."""
        starts = self._tensor([[self.vocabulary.start]] * len(encodings))
        logits = self._forward(encodings, starts)[:, 0]
        silent = logits.softmax(-1)[:, self.vocabulary.no_speech]
        languages = self.vocabulary.languages
        spoken = logits[:, list(languages.values())].softmax(-1)
        return [
            WindowStatistics(nobody, dict(zip(languages, row, strict=True)))
            for nobody, row in zip(silent.tolist(), spoken.tolist(), strict=True)
        ]

    def _forward(self, encodings: Sequence[Any], tokens: Any) -> Any:
        """Logits in float32, shape (rows, tokens, vocabulary)."""
        output = BaseModelOutput(last_hidden_state=torch.stack(list(encodings)))
        said = self._network(encoder_outputs=output, decoder_input_ids=tokens, use_cache=False)
        return said.logits.float()

    def _tensor(self, rows: Sequence[Sequence[int]]) -> Any:
        return torch.tensor(rows, dtype=torch.long, device=self._network.device)

    # ----------------------------------------------------------------------- decoding

    def generate(
        self,
        encodings: Sequence[Any],
        prompts: Sequence[Sequence[int]],
        generation_options: GenerationOptions,
        temperature: float,
    ) -> list[GeneratedText]:
        """Decode; with a temperature above 0 the best of ``how.best_of`` samples a window."""
        n_prompt = len(prompts[0])
        ledger = _Ledger()
        with _quiet():
            said = GenerationMixin.generate(
                self._network,
                encoder_outputs=BaseModelOutput(last_hidden_state=torch.stack(list(encodings))),
                decoder_input_ids=self._tensor(prompts),
                generation_config=self._generation(generation_options, temperature, n_prompt),
                logits_processor=LogitsProcessorList(
                    [*self._processors(generation_options, n_prompt), ledger]
                ),
            )
        tokens = said.sequences[:, n_prompt:].tolist()
        beams = getattr(said, "sequences_scores", None)
        if beams is None:
            sums = ledger.close(said.sequences)
            answers = [self._answer(row, sums[n]) for n, row in enumerate(tokens)]
        else:
            answers = [
                self._beam_answer(row, score, generation_options.length_penalty)
                for row, score in zip(tokens, beams.tolist(), strict=True)
            ]
        drawn = len(answers) // len(encodings)
        return [
            max(answers[n : n + drawn], key=lambda answer: answer.avg_logprob)
            for n in range(0, len(answers), drawn)
        ]

    def _answer(self, row: list[int], log_probs: Sequence[float]) -> GeneratedText:
        tokens = self._until_end(row)
        # The end counts too, as in openai-whisper.
        counted = log_probs[: len(tokens) + 1]
        return GeneratedText(tokens, sum(counted) / max(1, len(counted)))

    def _beam_answer(self, row: list[int], score: float, length_penalty: float) -> GeneratedText:
        """A beam's score is its sum over its length to the power of the penalty."""
        tokens = self._until_end(row)
        length = len(tokens) + 1
        return GeneratedText(tokens, score * length**length_penalty / length)

    def _until_end(self, row: list[int]) -> tuple[int, ...]:
        end = self.vocabulary.end
        return tuple(row[: row.index(end)] if end in row else row)

    def _generation(
        self, generation_options: GenerationOptions, temperature: float, n_prompt: int
    ) -> Any:
        end = self.vocabulary.end
        room = self.context - n_prompt
        settings: dict[str, Any] = {
            # openai-whisper's limit; the model cannot hold more in all.
            "max_new_tokens": min(generation_options.max_new_tokens or self.context // 2, room),
            "repetition_penalty": generation_options.repetition_penalty,
            "no_repeat_ngram_size": generation_options.no_repeat_ngram_size,
            "eos_token_id": end,
            "pad_token_id": end,
            "bos_token_id": end,
            "decoder_start_token_id": self.vocabulary.start,
            "return_dict_in_generate": True,
        }
        if temperature > 0:
            # Of all tokens, where transformers would draw from the likeliest 50.
            settings |= {"do_sample": True, "temperature": temperature, "top_k": 0}
            settings["num_return_sequences"] = generation_options.best_of
        elif generation_options.beam_size > 1:
            settings |= {
                "num_beams": generation_options.beam_size,
                "length_penalty": generation_options.length_penalty,
            }
            settings["output_scores"] = True
        return GenerationConfig(**settings)

    def _processors(self, generation_options: GenerationOptions, n_prompt: int) -> list[Any]:
        """Whisper's rules for what may be said, as its ``generate`` in transformers has them."""
        vocabulary, device = self.vocabulary, self._network.device
        items: list[Any] = []
        if generation_options.suppress_blank and self._suppressed_first:
            items.append(
                SuppressTokensAtBeginLogitsProcessor(
                    self._suppressed_first, begin_index=n_prompt, device=device
                )
            )
        never = sorted(self._never_said(generation_options.suppress_tokens))
        items.append(SuppressTokensLogitsProcessor(never, device=device))
        if generation_options.times:
            rules = GenerationConfig(
                eos_token_id=vocabulary.end,
                no_timestamps_token_id=vocabulary.no_times,
                max_initial_timestamp_index=self._latest_start,
            )
            items.append(WhisperTimeStampLogitsProcessor(rules, begin_index=n_prompt))
        return items

    def _never_said(self, requested: Sequence[int]) -> set[int]:
        """-1 stands for what the checkpoint lists; the prompt's own tokens are never said."""
        own = _marks(self.vocabulary)
        usual = self._suppressed if -1 in requested else frozenset()
        return {*own, *usual, *(token for token in requested if token >= 0)}

    # ---------------------------------------------------------------------- word times

    def align(
        self, encoding: Any, head: Sequence[int], text: Sequence[int], window_s: float
    ) -> Alignment:
        """One more pass over the finished text, watching the heads that follow the audio.

        Watching from outside works with every kind of attention: the fast ones give no
        weights away.
        """
        tokens = [*head, self.vocabulary.no_times, *text, self.vocabulary.end]
        with self._watched() as seen:
            logits = self._forward([encoding], self._tensor([tokens]))[0]
        n_positions = max(1, round(window_s / POSITION_S))
        weights = self._weights(seen, min(n_positions, len(encoding)))
        # The place before a token is where it is foretold.
        rows = slice(len(head), len(head) + len(text) + 1)
        foretold = logits[rows][:-1, : self.vocabulary.end].softmax(-1)
        likely = foretold.gather(1, self._tensor([text]).T)[:, 0]
        return Alignment(starts_of(weights[rows].cpu().double().numpy()), likely.cpu().numpy())

    @contextmanager
    def _watched(self) -> Iterator[dict[tuple[int, str], Any]]:
        """Queries and keys of the layers that follow the audio, by layer and ``q`` or ``k``."""
        seen: dict[tuple[int, str], Any] = {}
        hooks = []
        for layer in {layer for layer, _ in self._heads}:
            attention = self._network.model.decoder.layers[layer].encoder_attn
            for part in ("q", "k"):
                keep = _keeper(seen, (layer, part))
                hooks.append(getattr(attention, f"{part}_proj").register_forward_hook(keep))
        try:
            yield seen
        finally:
            for hook in hooks:
                hook.remove()

    def _weights(self, seen: Mapping[tuple[int, str], Any], n_positions: int) -> Any:
        """Mean attention of the heads over the positions that hold sound: (tokens, positions)."""
        items = []
        for layer, head in self._heads:
            query, key = (self._head_of(seen[layer, part], head) for part in ("q", "k"))
            scores = query @ key.T / query.shape[-1] ** 0.5
            items.append(scores.softmax(-1)[:, :n_positions])
        weights = torch.stack(items)
        spread, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
        return _smoothed((weights - mean) / spread.clamp(min=1e-8)).mean(dim=0)

    def _head_of(self, states: Any, head: int) -> Any:
        width = states.shape[-1] // self._network.config.decoder_attention_heads
        return states[0, :, head * width : (head + 1) * width].float()

    def close(self) -> None:
        """Let go of weights and hooks."""
        for hook in self._hooks:
            hook.remove()
        self._network = None


class _Ledger(LogitsProcessor):  # type: ignore[misc]
    """Keeps the log-probability of every token chosen; only one step's logits at a time."""

    def __init__(self) -> None:
        self._last: Any = None
        self._chosen: list[Any] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        self._note(input_ids)
        self._last = scores.float().log_softmax(-1)
        return scores

    def _note(self, tokens: Any) -> None:
        if self._last is not None:
            self._chosen.append(self._last.gather(1, tokens[:, -1:])[:, 0])

    def close(self, tokens: Any) -> list[list[float]]:
        """Log-probabilities by row and step, the last step's among them."""
        self._note(tokens)
        self._last = None
        result: list[list[float]] = torch.stack(self._chosen, dim=1).tolist()
        return result


def _keeper(seen: dict[tuple[int, str], Any], place: tuple[int, str]) -> Callable[..., None]:
    def keep(module: Any, value: Any, result: Any) -> None:
        seen[place] = result

    return keep


def _smoothed(weights: Any) -> Any:
    """Each position the median of its neighbourhood; the ends are mirrored."""
    half = _SMOOTH // 2
    if weights.shape[-1] <= half:
        return weights
    padded = torch.nn.functional.pad(weights, (half, half), mode="reflect")
    return padded.unfold(-1, _SMOOTH, 1).median(dim=-1).values


def _heads(value: Any, config: Any) -> list[tuple[int, int]]:
    """Heads as (layer, head). Distilled checkpoints copy those of layers they lack."""
    layers, heads = config.decoder_layers, config.decoder_attention_heads
    return [(int(a), int(b)) for a, b in value or () if a < layers and b < heads]


def _marks(vocabulary: Vocabulary) -> set[int]:
    """Tokens that stand before a window only."""
    return {
        vocabulary.start,
        vocabulary.previous,
        vocabulary.transcribe,
        vocabulary.translate,
        vocabulary.no_speech,
    }


# ---------------------------------------------------------------------------------- loading


@contextmanager
def _quiet() -> Iterator[None]:
    """No advice and no bars of transformers on people's screens; afterwards all is as it was."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def open_model(folder: str, device: str, compute_type: str, cpu_threads: int, name: str) -> Whisper:
    """Load a checkpoint from its folder alone; ``device`` is torch's word.

    Raises what the library raises.
    """
    if cpu_threads > 0:
        torch.set_num_threads(cpu_threads)
    with _quiet():
        network = WhisperForConditionalGeneration.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            attn_implementation="sdpa",
            **{_dtype_argument(): getattr(torch, compute_type)},
        )
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
    config = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))
    vocabulary = _vocabulary(tokenizer, _multilingual(network))
    # Without gradients nothing is kept for going back, and no mode must be set around calls.
    ready = network.to(device).eval().requires_grad_(False)
    return Whisper(ready, extractor, vocabulary, config, name)


def _dtype_argument() -> str:
    """4.56 gave it a shorter name and warns about the old one."""
    major, minor = (int(part) for part in transformers_version.split(".")[:2])
    return "dtype" if (major, minor) >= (4, 56) else "torch_dtype"


def _multilingual(network: Any) -> bool:
    said = getattr(network.generation_config, "is_multilingual", None)
    return bool(network.config.vocab_size >= _MULTILINGUAL_FROM if said is None else said)


def _vocabulary(tokenizer: Any, multilingual: bool) -> Vocabulary:
    ids = tokenizer.get_vocab()
    languages = {c: ids[f"<|{c}|>"] for c in LANGUAGES if multilingual and f"<|{c}|>" in ids}

    def read(tokens: Sequence[int]) -> str:
        return str(tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))

    def write(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False).input_ids)

    return Vocabulary(
        end=ids["<|endoftext|>"],
        start=ids["<|startoftranscript|>"],
        previous=ids["<|startofprev|>"],
        transcribe=ids["<|transcribe|>"],
        translate=ids["<|translate|>"],
        no_times=ids["<|notimestamps|>"],
        languages=languages,
        read=read,
        write=write,
    )
