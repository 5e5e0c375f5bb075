"""The public link: its state as everybody sees it, and the tunnel that opens it."""
