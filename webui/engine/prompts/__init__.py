"""Prompts: a linear-time parser of compel's dialect, and the embeddings that compel makes of what it finds."""
