"""Audio in: what people hand over, made into recordings, and recordings into samples.

`intake` sorts files, folders and zips; `sniff` tells what a file is without native code. Both
may run in a notebook's own process. `hybrid_transcribe.audio.probe.probe` and
`hybrid_transcribe.audio.decode.decode` need PyAV, and belong into a worker: import them there.
"""

from hybrid_transcribe.audio.archive import ArchiveEntry, Unpacked, unpack
from hybrid_transcribe.audio.intake import InputFile, Intake, intake
from hybrid_transcribe.audio.sniff import sniff

__all__ = ["ArchiveEntry", "InputFile", "Intake", "Unpacked", "intake", "sniff", "unpack"]
