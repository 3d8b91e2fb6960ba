"""The Train page: set up a run and watch it."""
