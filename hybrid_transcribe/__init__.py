"""x"""

from hybrid_transcribe._version import __version__ as __version__
