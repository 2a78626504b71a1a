"""Addresses for clients that nobody here wrote: those of OpenAI and of whisper-asr-webservice.

Such a client sends a recording and waits for its text: `synchronous` makes that a job like any
other, `waiting` knows who waits for which job and lets go of those that nobody waits for.
"""
