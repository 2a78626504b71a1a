"""What people ask for: languages and tasks as Whisper knows them."""
