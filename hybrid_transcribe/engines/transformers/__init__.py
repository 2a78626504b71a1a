"""Any Whisper checkpoint by Hugging Face's transformers."""
