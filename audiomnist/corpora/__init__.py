"""Recordings of spoken digits: their clips, where they come from, and their splits."""
