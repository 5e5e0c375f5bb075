"""Reading what pictures of any program say about themselves: `texts.py` finds it, `reading.py` understands it."""
