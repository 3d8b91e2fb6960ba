"""The Overview page: one recording through every step."""
