"""How fast this machine is: `python launch.py bench`. Prints figures, asserts none."""
