"""``python -m hybrid_transcribe``: the command line."""

import sys

from hybrid_transcribe.cli import main

if __name__ == "__main__":
    sys.exit(main())
