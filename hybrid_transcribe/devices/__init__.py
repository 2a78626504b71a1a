"""Where models run: is there a GPU that really computes, and what to do when it does not."""

from hybrid_transcribe.devices.choice import choose
from hybrid_transcribe.devices.driver import Card
from hybrid_transcribe.devices.formats import preferred
from hybrid_transcribe.devices.libraries import preload
from hybrid_transcribe.devices.looking import Gpu, Look, Looker, look
from hybrid_transcribe.devices.remedy import remedy_for

__all__ = ["Card", "Gpu", "Look", "Looker", "choose", "look", "preferred", "preload", "remedy_for"]
