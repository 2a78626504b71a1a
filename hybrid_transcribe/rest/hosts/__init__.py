"""Where else the routes run: on a port with Voila's pages (`app`), in Jupyter Server (`jupyter`).

The third place, inside a kernel, needs neither and is `hybrid_transcribe.rest.server`.
"""
