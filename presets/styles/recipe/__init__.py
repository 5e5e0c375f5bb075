"""The styles of the gallery, drawn by program: `python -m presets.styles.recipe`."""
