"""The errors that Audio MNIST raises for bad input, all under one base class.

Each message says what failed, what was found, what was expected and what to
do next, in words that can be shown to a visitor as they are. Programmer
mistakes are left to `assert` and to Python's own exceptions.
"""


class AudioMnistError(Exception):
    """Base of every error that a page or the command line shows as text."""


class AudioError(AudioMnistError):
    """A recording cannot be read, or does not fit what is asked of it."""


class ConfigError(AudioMnistError):
    """A setting is unknown, missing, of another type or out of its range."""


class CorpusError(AudioMnistError):
    """A corpus is missing, damaged or cannot be split as asked."""


class ModelError(AudioMnistError):
    """A model is missing or damaged, or does not fit what is asked of it."""


class RunError(AudioMnistError):
    """A training run cannot be created, started, followed or resumed."""
