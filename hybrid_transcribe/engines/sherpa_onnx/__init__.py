"""Models past Whisper (Parakeet, Canary, Moonshine, SenseVoice, Zipformer…) on sherpa-onnx."""
