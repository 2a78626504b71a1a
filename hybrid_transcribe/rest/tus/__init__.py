"""Uploads in pieces (tus 1.0): what a broken connection brought stays, and the rest follows.

`handlers` speaks the protocol (its words are in `protocol`) ─► `chunk_writer` (one request's bytes
to the end of the file) ─► `uploads.store` (what lies there, until its time is up).
"""
