"""Recognize with a trained model: from a recording to a digit, or to none."""
