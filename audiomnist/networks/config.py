"""The settings of a network: its kind and its sizes.

Owns these settings alone. How a network is built is for `architectures`.
"""

from dataclasses import dataclass

from audiomnist.errors import ConfigError
from audiomnist.networks.speech_embedding import N_LAYERS

NETWORKS = {
    "ann": "Dense layers over the whole image at once: fast, but a word that starts "
    "later looks like another word to it.",
    "cnn": "Small filters that slide over time and frequency, then pooling over time: "
    "it finds a sound wherever it is.",
    "resnet": "The CNN grown up: twice as many convolutions with short cuts around "
    "them, for a longer training.",
    "ensemble": "Three CNNs that answer together: one sees the image as it is, one "
    "without the microphone's colour, one without the finest lines of the voice. Where "
    "one errs, the others often do not.",
    "pretrained": "A network that has heard the speech of very many people, and learns "
    "only the digits here: what it knows of voices and rooms it brings along.",
    "team": "The pretrained network and a CNN that answer together: one knows many "
    "voices, the other learns to hear through noise, and they err on different clips.",
}
"""What each kind of network does, in one sentence."""

TITLES = {
    "ann": "ANN",
    "cnn": "CNN",
    "resnet": "ResNet",
    "ensemble": "Three CNNs",
    "pretrained": "Pretrained CNN",
    "team": "Pretrained network and CNN",
}
"""What each kind is called."""

N_MOVED = {"pretrained": 3, "team": 3}
"""Frames by which looks at a word are moved, where there are several: the first
earlier, the others later. The speech embedding takes a frame in 8, so that a word that
begins a little later looks different to it. With the preset's hop it is 30 ms."""

_PRETRAINED = ("pretrained", "team")

PRETRAINED_HIDDEN = (256,)
"""Units of the dense layers behind the speech embedding."""

_N_FILTERS = 5  # stages of the convolutional networks


@dataclass(frozen=True)
class NetworkConfig:
    """Architecture and sizes.

    Parameters
    ----------
    kind
        "ann", "cnn", "resnet", "ensemble", "pretrained" or "team", see `NETWORKS`.
    hidden
        Units of each dense layer of the ANN, and of those that follow the speech
        embedding in the pretrained network; the last ones are the embedding.
    filters
        Filters of the five stages of a convolutional network: a convolution each in
        the CNN, a residual block [1]_ each in the second to fourth of the ResNet.
        The fifth covers all remaining frequencies, and its mean and maximum over
        time are the embedding. Each CNN of the ensemble has as many.
    dropout
        Part of the units that is switched off at random in each training step,
        after every dense layer of the ANN and before the last layer of the others.
    embedding_dropout
        The same for what the speech embedding gives, in the pretrained network.
    n_others
        Kinds of sounds that are no digits, which the last layer learns to tell from
        digits without being told what they are; 0 has it look for digits alone.
    cnn_weight
        How much the CNN's logits count in a team, where the pretrained network's count
        for the rest of 1.
    n_frozen
        Convolutions of the speech embedding that keep their weights in the pretrained
        network, from the first on.

    Raises
    ------
    ConfigError
        If a name or number is out of its range.

    References
    ----------
    .. [1] K. He et al., "Deep residual learning for image recognition", Conference on
       Computer Vision and Pattern Recognition, 2016.
    """

    kind: str = "cnn"
    hidden: tuple[int, ...] = (256, 128)
    filters: tuple[int, ...] = (16, 32, 48, 64, 96)
    dropout: float = 0.2
    embedding_dropout: float = 0.5
    n_others: int = 0
    cnn_weight: float = 0.5
    n_frozen: int = N_LAYERS

    @property
    def is_pretrained(self) -> bool:
        """Whether the network begins with the speech embedding."""
        return self.kind in _PRETRAINED

    def __post_init__(self) -> None:
        if self.kind not in NETWORKS:
            raise ConfigError(
                f"kind is {self.kind!r}; expected one of {list(NETWORKS)}."
            )
        if not self.hidden or min(self.hidden) < 1:
            raise ConfigError(
                f"hidden is {self.hidden}; expected at least one layer, each with "
                "one unit or more."
            )
        if len(self.filters) != _N_FILTERS or min(self.filters) < 1:
            raise ConfigError(
                f"filters is {self.filters}; expected {_N_FILTERS} counts, each of "
                "one or more."
            )
        for name in ("dropout", "embedding_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(
                    f"{name} is {getattr(self, name)}; expected 0 to under 1."
                )
        if not 0 <= self.cnn_weight <= 1:
            raise ConfigError(
                f"cnn_weight is {self.cnn_weight}; expected a part from 0 to 1."
            )
        if self.n_others < 0:
            raise ConfigError(f"n_others is {self.n_others}; expected 0 or more.")
        if not 0 <= self.n_frozen <= N_LAYERS:
            raise ConfigError(
                f"n_frozen is {self.n_frozen}; expected 0 to {N_LAYERS} layers."
            )
