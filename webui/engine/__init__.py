"""Everything that computes. Only this package imports torch."""
