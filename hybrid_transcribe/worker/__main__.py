"""``python -m hybrid_transcribe.worker``: a worker on its standard pipes."""

from hybrid_transcribe.worker.process import main

main()
