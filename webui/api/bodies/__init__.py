"""Incoming bodies: their size, their type, and pictures, which a separate process opens."""
