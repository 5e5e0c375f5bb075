"""Help while typing: how many tokens a prompt has, which parts of it will have no effect, and why. Knows no torch."""
