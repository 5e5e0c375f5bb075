"""The machine room: torch lives here, and only here."""
