"""What an architecture says of itself, and the features that it can be given."""

from dataclasses import replace

import pytest

from audiomnist.errors import ModelError
from audiomnist.features.config import KINDS
from audiomnist.networks.ann import AnnConfig
from audiomnist.networks.architecture import InputNeeds
from audiomnist.networks.architectures import ARCHITECTURES
from audiomnist.networks.team import TeamConfig


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_is_named_after_its_settings_and_explained(name):
    network = ARCHITECTURES[name]
    assert network.name == network.config().kind == name
    assert network.title and network.gist and network.sentence.endswith(".")
    assert network.needs.kind in (None, *KINDS)
    assert len({each.title for each in ARCHITECTURES.values()}) == len(ARCHITECTURES)


@pytest.mark.parametrize(
    ("needs", "shape", "kind", "is_accepted"),
    [
        (InputNeeds(), (1, 1), "mfcc", True),
        (InputNeeds(min_bins=8), (8, 1), None, True),
        (InputNeeds(min_bins=8), (7, 9), None, False),
        (InputNeeds(min_frames=8), (9, 7), None, False),
        (InputNeeds(n_bins=32), (32, 1), None, True),
        (InputNeeds(n_bins=32), (33, 1), None, False),
        (InputNeeds(kind="log_mel"), (1, 1), None, True),
        (InputNeeds(kind="log_mel"), (1, 1), "log_mel", True),
        (InputNeeds(kind="log_mel"), (1, 1), "mfcc", False),
    ],
)
def test_features_are_accepted_where_they_meet_every_need(
    needs, shape, kind, is_accepted
):
    assert needs.accept(shape, kind) is is_accepted


def test_needs_are_said_where_a_shape_is_refused():
    needs = InputNeeds(kind="mfcc", min_bins=4, min_frames=6)
    network = replace(ARCHITECTURES["ann"], needs=needs)
    network.check_shape((4, 6))
    with pytest.raises(
        ModelError,
        match=r"\(3, 6\) do not fit the network ann; expected mfcc with at least 4 "
        "bins and 6 frames or more",
    ):
        network.check_shape((3, 6))
    assert str(replace(needs, n_bins=5)) == "mfcc with 5 bins and 6 frames or more"


def test_a_team_tells_how_much_the_cnn_counts():
    assert "count for 0.25 of the answer" in TeamConfig().remark()
    assert AnnConfig().remark() == ""
