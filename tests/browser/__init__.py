"""The app driven by a real browser."""
