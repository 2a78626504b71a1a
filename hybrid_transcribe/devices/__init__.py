"""Where models run: is there a GPU that really computes, and what to do when it does not."""

from hybrid_transcribe.devices.choice import choose, without_gpu
from hybrid_transcribe.devices.driver import Card
from hybrid_transcribe.devices.formats import preferred
from hybrid_transcribe.devices.libraries import preload
from hybrid_transcribe.devices.looking import Forget, Gpu, Look, Looker, forget, look
from hybrid_transcribe.devices.remedy import remedy_for

__all__ = [
    "Card",
    "Forget",
    "Gpu",
    "Look",
    "Looker",
    "choose",
    "forget",
    "look",
    "preferred",
    "preload",
    "remedy_for",
    "without_gpu",
]
