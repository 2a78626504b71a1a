"""OpenAI's own package."""
