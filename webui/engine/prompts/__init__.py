"""Prompts → embeddings: the text encoders of the U-Net families, in the two dialects that `webui/prompts/` reads."""
