"""How the shipped models and the embedded corpus are made: a developer's commands."""
