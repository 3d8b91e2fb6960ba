"""Every architecture: its layers and settings."""

import json
from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np
import pytest
from small_networks import SHAPE, SHAPES, shaken, small, sounds

from audiomnist.errors import ConfigError, ModelError
from audiomnist.networks.ann import AnnConfig
from audiomnist.networks.architectures import (
    ARCHITECTURES,
    build,
    find_architecture,
    network_from_dict,
)
from audiomnist.networks.cnn import CnnConfig
from audiomnist.networks.config import NetworkConfig


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_network_gives_ten_logits_and_an_embedding(kind):
    shape = SHAPES[kind]
    answer = build(small(kind), shape)(np.zeros((3, *shape), np.float32))
    assert answer["logits"].shape == (3, 10)
    n_units = {
        **{"ann": 8, "pretrained": 8, "team": 8 + 2 * 8, "ensemble": 3 * 2 * 8}
    }.get(kind, 2 * 8)
    assert answer["embedding"].shape == (3, n_units)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_the_embedding_is_what_the_last_layer_sees(kind):
    network = shaken(build(small(kind), SHAPES[kind]))
    features = sounds(kind, 5)
    answer = network(features, training=False)
    rest = answer["embedding"].numpy()
    for number in range({"ensemble": 3, "team": 2}.get(kind, 1)):
        kernel, bias = network.get_layer(f"logits_{number}").get_weights()
        part, rest = rest[:, : len(kernel)], rest[:, len(kernel) :]
        np.testing.assert_allclose(
            part @ kernel + bias, answer["members"][:, number], atol=1e-4
        )
    weights = {"team": [0.75, 0.25]}.get(kind)
    together = np.average(answer["members"], axis=1, weights=weights)
    np.testing.assert_allclose(together, answer["logits"], atol=1e-4)


def test_an_ensemble_sees_a_word_in_three_ways():
    network = shaken(build(small("ensemble"), SHAPE))
    features = np.random.default_rng(1).normal(size=(1, *SHAPE)).astype(np.float32)
    padded = features.copy()
    padded[:, :, -2:] = 0
    coloured = padded + np.where(padded == 0, 0, np.linspace(-1, 1, SHAPE[0])[:, None])
    plain, other = (
        network(clip.astype(np.float32), training=False)["members"].numpy()[0]
        for clip in (padded, coloured)
    )
    assert np.abs(plain[0] - other[0]).max() > 1e-2
    np.testing.assert_allclose(plain[1], other[1], atol=1e-3)
    assert len({tuple(np.round(member, 4)) for member in plain}) == 3


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_kinds_of_negatives_count_as_one_answer(kind):
    config = replace(small(kind), n_others=3)
    network = shaken(build(config, SHAPES[kind]))
    answer = network(sounds(kind, 5), training=False)
    kernel, bias = network.get_layer("logits_0").get_weights()
    thirteen = answer["embedding"].numpy()[:, : len(kernel)] @ kernel + bias
    others = np.log(np.exp(thirteen[:, 10:]).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(
        answer["members"][:, 0], thirteen[:, :10] - others, atol=1e-3
    )


@pytest.mark.parametrize("setting", [{"hidden": (24,)}, {"filters": (2, 2, 2, 2, 3)}])
def test_sizes_change_the_network(setting):
    kind = "ann" if "hidden" in setting else "cnn"
    changed = replace(small(kind), **setting)
    n_parameters = build(small(kind), SHAPE).count_params()
    assert build(changed, SHAPE).count_params() != n_parameters


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_dropout_is_at_work_in_training_only(kind):
    features = np.ones((1, *SHAPES[kind]), np.float32)
    for dropout, differs in ((0.0, False), (0.5, True)):
        network = build(small(kind, dropout=dropout), SHAPES[kind])
        layers = [layer for layer in network.layers if "dropout" in layer.name]
        assert layers
        dropped = layers[-1](np.ones((1, 200), np.float32), training=True)
        assert bool(np.any(dropped.numpy() == 0)) is differs
        first, second = network(features), network(features)
        np.testing.assert_array_equal(first["logits"], second["logits"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"hidden": ()}, "at least one layer"),
        ({"hidden": (8, 0)}, "one unit or more"),
        ({"filters": (1, 2, 3)}, "expected 5 counts"),
        ({"filters": (1, 2, 3, 4, 0)}, "expected 5 counts"),
        ({"n_others": -1}, "n_others is -1"),
        ({"cnn_weight": 1.5}, "cnn_weight is 1.5"),
        ({"n_frozen": 21}, "expected 0 to 20 layers"),
        ({"dropout": 1.0}, "dropout is 1.0; expected 0 to under 1"),
        ({"embedding_dropout": -0.1}, "embedding_dropout is -0.1"),
    ],
)
def test_every_network_refuses_a_wrong_setting(setting, message):
    (name,) = setting
    concerned = [
        each.config
        for each in ARCHITECTURES.values()
        if name in {field.name for field in fields(each.config)}
    ]
    assert concerned
    for config in concerned:
        with pytest.raises(ConfigError, match=message):
            config(**setting)


def test_a_network_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ConfigError, match=r"'rnn'; expected one of \['ann', 'cnn'"):
        find_architecture("rnn")


@dataclass(frozen=True)
class _ForgottenConfig(NetworkConfig):
    """Of a network that is not in the table."""

    kind: str = field(default="forgotten", init=False)


def test_a_network_that_is_not_in_the_table_is_not_built():
    with pytest.raises(ConfigError, match="The network is 'forgotten'"):
        build(_ForgottenConfig(), SHAPE)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_settings_come_back_from_json(kind):
    config = small(kind, n_others=2)
    assert network_from_dict(json.loads(json.dumps(asdict(config)))) == config


def test_settings_that_only_other_networks_use_are_left_out_of_older_records():
    older = {
        "kind": "ann",
        "hidden": [192, 128],
        "filters": [16, 32, 48, 64, 96],
        "dropout": 0.1,
        "embedding_dropout": 0.5,
        "n_others": 16,
        "cnn_weight": 0.5,
        "n_frozen": 20,
    }
    assert network_from_dict(older) == AnnConfig(16, hidden=(192, 128), dropout=0.1)
    assert network_from_dict(older | {"kind": "cnn"}) == CnnConfig(16, dropout=0.1)
    with pytest.raises(ConfigError, match="AnnConfig has no setting hiden"):
        network_from_dict(older | {"hiden": [8]})


@pytest.mark.parametrize("values", [None, [], {}, {"kind": 3}, {"hidden": [8]}])
def test_settings_without_a_kind_are_refused(values):
    with pytest.raises(ConfigError, match="expected a dictionary with its kind"):
        network_from_dict(values)


def test_features_that_are_too_small_are_refused():
    with pytest.raises(
        ModelError, match="not fit the network cnn; expected at least 8"
    ):
        build(small("cnn"), (40, 7))


@pytest.mark.parametrize("shape", [(40, 92), (32, 75)])
def test_features_that_the_speech_embedding_does_not_know_are_refused(shape):
    with pytest.raises(ModelError, match="32 bins and 76 frames or more"):
        build(small("pretrained"), shape)


@pytest.mark.parametrize("n_frozen", [0, 15, 20])
def test_frozen_layers_do_not_learn(n_frozen):
    config = replace(small("pretrained"), n_frozen=n_frozen)
    network = build(config, SHAPES["pretrained"])
    learning = {variable.path for variable in network.trainable_variables}
    for number in range(20):
        assert (f"embedding_{number}/kernel" in learning) is (number >= n_frozen)


def test_part_of_what_the_speech_embedding_gives_is_switched_off():
    config = replace(small("pretrained"), dropout=0.1, embedding_dropout=0.7)
    network = build(config, SHAPES["pretrained"])
    rates = [layer.rate for layer in network.layers if hasattr(layer, "rate")]
    assert rates == [0.7, 0.1, 0.1]
    with pytest.raises(ConfigError, match="embedding_dropout is 1"):
        replace(config, embedding_dropout=1)
