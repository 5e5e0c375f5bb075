"""Prompts → embeddings: the text encoders of the U-Net families, in two dialects that `webui/prompts/` reads."""
