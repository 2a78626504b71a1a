"""Bytes of a request to files of ours: as they come, bounded, with nothing left behind.

A body's way: `streaming` (the handler's side) ─► `taking` (from the loop to a thread) ─► one of
`multipart`, `raw`, `small` (what is what) ─► `files` (the disk) ─► `received`. `pace` sends
away who is too slow, `lingering` lets those who are turned away read why.
"""
