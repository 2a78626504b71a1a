"""Stages after the engine: audio and transcript in, a revision of the transcript out."""
