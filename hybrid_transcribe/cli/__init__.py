"""The command line: ``hybrid-transcribe transcribe talk.m4a``.

Each command is a module here with an ``add_parser``; what it does is imported when it is run,
so that ``--help`` and ``--version`` answer at once.
"""

from hybrid_transcribe.cli.program import main

__all__ = ["main"]
