"""What OpenAI's client libraries call, as they expect it: ``/v1/audio/…`` and ``/v1/models``."""
