"""What comes in: how much, of what kind, and pictures, opened in a process of their own."""
