"""The service over HTTP, as one table of routes for every host it runs on.

A request's way: `access` and `door` (who may come in) ─► `uploads` (bytes to disk) ─► `jobs`,
`results`, `queues`, `system` ─► Service. `problems` says what an error is in HTTP; what of a job
is shown, and as what JSON, is `hybrid_transcribe.wire`'s business.
"""
