"""Bytes of a request to files of ours: as they come, bounded, with nothing left behind.

A body's way: `streaming` (the handler's side) ─► `body_writer` (from the loop to a thread, and away
with who is too slow) ─► one of `multipart` and `bodies` (what is what) ─► `uploads.files` (the
disk) ─► `uploads.received`.
"""
