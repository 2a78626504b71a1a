"""What the service can be asked, as an OpenAPI 3.1 document made from the code.

`schemas` takes the types of `wire` and `types`, `options` those of a transcription, `operation`
says what an operation is made of; `jobs`, `results`, `queues`, `files`, `system` and `compat`
are tables of them, one a group of routes. `document` puts it all together.
"""
