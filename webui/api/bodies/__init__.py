"""Incoming bodies: their size, their kind, and pictures, which a separate process opens."""
