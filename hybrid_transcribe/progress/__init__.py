"""A job's progress, for people: one live line in a terminal or a cell, a few lines in a log.

::

    talk.m4a  ██████████▌              42 % · 0:13 left
    3/20 talk.m4a  ███▎                13 % · loading model · 0:04 so far
    20 recordings  ████████████████████████ 100 % · 1:12 · 4.8× real time · 1 failed

`follow` listens, ``story`` knows what is the case, ``look`` decides what is shown of it, and
``display`` shows it.
"""

from hybrid_transcribe.progress.follow import follow
from hybrid_transcribe.progress.render import clock_text, describe

__all__ = ["clock_text", "describe", "follow"]
