"""What the service can be asked, as an OpenAPI 3.1 document made from the code.

`operation` is how handlers declare what they do, `schemas` takes the types of `wire` and `types`,
`options` those of a transcription. `document` puts it all together.
"""
