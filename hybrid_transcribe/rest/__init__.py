"""The service over HTTP, as one table of routes for every host it runs on.

A request's way: `access` and `base_handler` (who may come in) ─► `uploads` (bytes to disk) ─►
`jobs`, `results`, `queues`, `system` ─► Service. A handler says beside each method what it is asked
and answers (`openapi.operation`): addresses and the OpenAPI document come from there. `problems`
says what an error is in HTTP; what of a job is shown, and as what JSON, is
`hybrid_transcribe.wire`'s business.
"""
