"""What the person watching sees of a step."""
