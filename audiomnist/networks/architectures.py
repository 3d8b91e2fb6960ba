"""All networks there are, and how one is built from its settings.

Owns the list of the architectures, reading a network's settings from a run's record,
and the outputs that every network has. What is particular to a network is in its own
module. Training is for `training`, files for `files`. Keras is imported only inside
functions, and only the training process calls those.
"""

from typing import TYPE_CHECKING, Any

from audiomnist.configs import config_from_dict
from audiomnist.errors import ConfigError
from audiomnist.networks.ann import ANN
from audiomnist.networks.architecture import Architecture
from audiomnist.networks.cnn import CNN
from audiomnist.networks.config import NetworkConfig
from audiomnist.networks.ensemble import ENSEMBLE
from audiomnist.networks.layers import logits_of
from audiomnist.networks.pretrained import PRETRAINED
from audiomnist.networks.resnet import RESNET
from audiomnist.networks.team import TEAM

if TYPE_CHECKING:
    import keras

ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (ANN, CNN, RESNET, ENSEMBLE, PRETRAINED, TEAM)
}
"""The networks, by name; a new one is a module and its place here."""

_ONCE_IN_EVERY_FILE = {
    "hidden",
    "filters",
    "dropout",
    "embedding_dropout",
    "cnn_weight",
    "n_frozen",
}
"""Settings that records of older runs name for every network, used or not."""


def find_architecture(name: str) -> Architecture:
    """The network of this name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    if name not in ARCHITECTURES:
        raise ConfigError(
            f"The network is {name!r}; expected one of {list(ARCHITECTURES)}."
        )
    return ARCHITECTURES[name]


def network_from_dict(values: Any) -> NetworkConfig:
    """Read a network's settings from what `configs.config_to_dict` wrote.

    Parameters
    ----------
    values
        A dictionary with the entry "kind" and settings of that network. Settings of
        other networks, which older records have beside them, are left out.

    Raises
    ------
    ConfigError
        If there is no such network, or a setting is unknown or wrong.
    """
    if not isinstance(values, dict) or not isinstance(values.get("kind"), str):
        raise ConfigError(
            f"The settings of the network are {values!r}; expected a dictionary with "
            "its kind."
        )
    config = find_architecture(values["kind"]).config
    unused = _ONCE_IN_EVERY_FILE - set(config.__dataclass_fields__)
    return config_from_dict(
        config, {k: v for k, v in values.items() if k not in unused | {"kind"}}
    )


def build(config: NetworkConfig, input_shape: tuple[int, int]) -> "keras.Model":
    """Build an untrained network.

    Parameters
    ----------
    config
        Settings of one of `ARCHITECTURES`.
    input_shape
        Shape of one clip's features: (n_bins, n_frames).

    Returns
    -------
    keras.Model
        From features (n_clips, n_bins, n_frames) to a dictionary of "logits"
        (n_clips, 10), "embedding" (n_clips, n_units), the values from which the last
        layers make the logits, and "members" (n_clips, n_members, 10), the logits of
        each member of an ensemble, or of the one network that there is.

    Raises
    ------
    ConfigError
        If there is no such network.
    ModelError
        If the features are not what it can be given.
    """
    import keras

    architecture = find_architecture(config.kind)
    architecture.check_shape(input_shape)
    features = keras.Input(input_shape, name="features")
    members = architecture.members(features, config)
    logits: list[Any] = []
    for number, member in enumerate(members):
        kept = member.embedding
        if member.dropout is not None:
            kept = keras.layers.Dropout(member.dropout)(kept)
        logits.append(logits_of(kept, config.n_others, f"logits_{number}"))
    weighted = [
        values * member.weight for values, member in zip(logits, members, strict=True)
    ]
    embeddings = [member.embedding for member in members]
    outputs = {
        "logits": keras.ops.sum(keras.ops.stack(weighted, axis=1), axis=1),
        "embedding": keras.ops.concatenate(embeddings, axis=1),
        "members": keras.ops.stack(logits, axis=1),  # (n_clips, n_members, 10)
    }
    return keras.Model(features, outputs, name=config.kind)
