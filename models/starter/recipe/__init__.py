"""How the starter checkpoint is made: draw captioned pictures, train on them, evaluate the result."""
