"""What one network is: its layers, what it needs, and what people read about it.

Owns the record that every network fills in, in a module of its own. The list of the
networks is in `architectures`, the layers that several share in `layers`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audiomnist.errors import ModelError
from audiomnist.networks.config import NetworkConfig


@dataclass(frozen=True, eq=False)
class Member:
    """One of the networks that answer together, up to its last layer.

    Parameters
    ----------
    embedding
        Keras tensor, (n_clips, n_units), from which the last layer makes logits.
    weight
        How much these count in the answer; the weights of all members add up to 1.
    dropout
        Part of the embedding that is switched off at random in each training step,
        before the last layer; None where the layers before it end with dropout.
    """

    embedding: Any
    weight: float = 1.0
    dropout: float | None = None


@dataclass(frozen=True)
class InputNeeds:
    """Features that a network can be given.

    Parameters
    ----------
    min_bins, min_frames
        The least size.
    n_bins
        The one number of bins that it takes, where there is only one.
    kind
        The one kind of features that it takes, see `features.config.KINDS`.
    """

    min_bins: int = 1
    min_frames: int = 1
    n_bins: int | None = None
    kind: str | None = None

    def accept(self, shape: tuple[int, int], kind: str | None = None) -> bool:
        """Whether features of shape (n_bins, n_frames) fit, and their kind if told."""
        n_bins, n_frames = shape
        if n_bins < self.min_bins or n_frames < self.min_frames:
            return False
        if self.n_bins is not None and n_bins != self.n_bins:
            return False
        return kind is None or self.kind is None or kind == self.kind

    def __str__(self) -> str:
        kind = f"{self.kind} with " if self.kind else ""
        bins = f"{self.n_bins}" if self.n_bins else f"at least {self.min_bins}"
        return f"{kind}{bins} bins and {self.min_frames} frames or more"


@dataclass(frozen=True)
class Pretraining:
    """What a network begins with that others trained, for the model card.

    Parameters
    ----------
    name
        What it is called.
    description
        Whose it is, what it learned from, how it was changed, licence and citation.
    licence
        Of its weights.
    """

    name: str
    description: str
    licence: str


@dataclass(frozen=True, eq=False)
class Architecture:
    """One network, untrained.

    Parameters
    ----------
    config
        The class of its settings. Their defaults are those to begin with.
    title
        What a reader calls it.
    gist
        What it is built of, in a few words, as after a colon.
    sentence
        What it does, in one sentence or two.
    members
        Builds its layers: from features, a Keras tensor (n_clips, n_bins, n_frames),
        and its settings to the members that answer together, often a single one. It
        imports Keras itself, for this record is read in processes without Keras.
    needs
        Features that it can be given.
    features, training
        Settings of the features and of the training to begin with, as `run.json` has
        them; what is not named keeps its default.
    view_shift
        Frames by which further views of a word are shifted at test time, see
        `LiteRTNetwork`; 0 has the word seen once, as it is.
    pretraining
        What it begins with that others trained, if anything.
    """

    config: type[NetworkConfig]
    title: str
    gist: str
    sentence: str
    members: Callable[[Any, Any], Sequence[Member]]
    needs: InputNeeds = InputNeeds()
    features: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    view_shift: int = 0
    pretraining: Pretraining | None = None

    @property
    def name(self) -> str:
        """What `NetworkConfig.kind` calls it."""
        return self.config().kind

    def check_shape(self, shape: tuple[int, int]) -> None:
        """Refuse features of a shape (n_bins, n_frames) that it cannot be given.

        Raises
        ------
        ModelError
            If they do not fit.
        """
        if not self.needs.accept(shape):
            raise ModelError(
                f"Features of shape {shape} do not fit the network {self.name}; "
                f"expected {self.needs}."
            )
