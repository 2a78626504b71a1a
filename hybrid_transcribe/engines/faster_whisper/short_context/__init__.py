"""The fast way: Whisper's encoder hears what there is instead of thirty seconds of it.

A clip's way: `cuts` (where to cut what is long, silence left out) ─► `ear` (one piece: features,
a trimmed window, text, and a second look with the full window where `doubt` has reason) ─►
`crew` (pieces of several recordings side by side) ─► segments in order. The ears' calls of the
model meet in `batches`.
"""
