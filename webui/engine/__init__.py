"""Everything that computes. torch is imported here, and only here."""
