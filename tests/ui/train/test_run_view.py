"""Times of a run in words."""

from audiomnist.ui.train import run_view


def test_times_are_said_in_words():
    assert run_view.duration(0.2) == "about 1 s"
    assert run_view.duration(75) == "about 75 s"
    assert run_view.duration(200) == "about 3 min"
