"""The Evaluate page: a report on a model."""
