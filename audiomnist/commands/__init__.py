"""The commands of `python -m audiomnist`, a module for each group of them.

Each module declares its commands and their options with click; what is done is done
by the package's other modules, which are imported when a command runs. `bars` shows
how far the work has come.
"""
