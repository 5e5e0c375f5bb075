"""How the families' diffusers pipelines are called: one way for most, and a module for each exception."""
