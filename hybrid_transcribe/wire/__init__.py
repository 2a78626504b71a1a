"""What goes over HTTP: the shapes of jobs and events, and both ways between them and ours.

`shapes` says what the JSON is (the OpenAPI document's schemas are made from it), `show` turns
our values into it, `read` turns it into our values again. Nobody else knows a field's name.
"""
