"""Uploads in pieces (tus 1.0): what a broken connection brought stays, and the rest follows.

`doors` speaks the protocol (its words are in `protocol`) ─► `piece` (one request's bytes to the
end of the file) ─► `shelf` (what lies there, through restarts, until its time is up). `taken`
makes finished ones the recordings of a job.
"""
