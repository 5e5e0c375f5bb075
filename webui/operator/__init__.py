"""What the operator sets while the program runs; flags and environment variables stand above it."""
