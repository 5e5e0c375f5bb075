"""Reads what pictures of any program say about themselves: `embedded_texts.py` finds it,
`reading.py` understands it.
"""
