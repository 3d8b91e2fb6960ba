"""The settings that every network has, and the checks of those that many have.

Owns the base of the settings alone. Each network's own settings are in its module, and
how it is built, too; `architectures` lists them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audiomnist.errors import ConfigError


@dataclass(frozen=True)
class NetworkConfig:
    """Settings of a network; each architecture has a class of its own for them.

    Parameters
    ----------
    kind
        Name of the architecture: the class says it.
    n_others
        Outputs of the last layer for negatives, sounds that are not digits; which
        negative belongs to which output it finds by itself. 0 has it know digits alone.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    kind: str = field(init=False)
    n_others: int = 0

    def __post_init__(self) -> None:
        if self.n_others < 0:
            raise ConfigError(f"n_others is {self.n_others}; expected 0 or more.")

    def remark(self) -> str:
        """What a model card says of these settings, as a sentence; "" for nothing."""
        return ""


def check_hidden(hidden: Sequence[int]) -> None:
    """Refuse units of dense layers that make no network; ConfigError says why."""
    if not hidden or min(hidden) < 1:
        raise ConfigError(
            f"hidden is {hidden}; expected at least one layer, each with one unit or "
            "more."
        )


def check_filters(filters: Sequence[int], n_stages: int) -> None:
    """Refuse another number of stages, or one without filters, with a ConfigError."""
    if len(filters) != n_stages or min(filters) < 1:
        raise ConfigError(
            f"filters is {filters}; expected {n_stages} counts, each of one or more."
        )


def check_dropout(name: str, part: float) -> None:
    """Refuse a part of units to switch off that leaves none, with a ConfigError."""
    if not 0 <= part < 1:
        raise ConfigError(f"{name} is {part}; expected 0 to under 1.")
