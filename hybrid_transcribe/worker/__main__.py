"""``python -m hybrid_transcribe.worker``: a worker on its standard pipes."""

import sys

# Python puts the current folder first: a stray av.py there would be imported for the real one.
# Last, it still serves engines that live beside a notebook.
if sys.path and not getattr(sys.flags, "safe_path", False):
    sys.path.append(sys.path.pop(0))

from hybrid_transcribe.worker.process import main

main()
