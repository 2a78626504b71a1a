"""Files that are sent to this machine, on its disk: of forms, of uploads in pieces, of panels.

`received` is what one request brought and how much it may, `files` writes the files of a request,
`store` keeps those that come in pieces.
"""
