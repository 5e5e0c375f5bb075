"""How the families' diffusers pipelines are called: the way that most have in common, and a module for each odd one."""
