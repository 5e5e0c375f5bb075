"""Help while typing: how many tokens a prompt has, and what in it will have no effect, and why. Knows no torch."""
