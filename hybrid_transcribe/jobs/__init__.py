"""Jobs: the queue that decides who goes next, the journal that remembers, the service in front."""

import logging

# A library writes no log where nobody asked for one; warnings reach people as events.
logging.getLogger("hybrid_transcribe").addHandler(logging.NullHandler())
