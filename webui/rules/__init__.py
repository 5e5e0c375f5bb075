"""Which settings go together, and what a request may ask of a checkpoint. Knows no torch and no page."""
