import pytest

from audiomnist.plots.learning import plot_learning_curves
from audiomnist.plots.style import Style
from audiomnist.training.history import BatchLoss, EpochMetrics


def _history(n_epochs: int) -> list[EpochMetrics]:
    return [
        EpochMetrics(i, 2 / i, 1 - 0.5 / i, 0.1 + abs(i - 3), 1 - 0.6 / i, 1.0, 1.0)
        for i in range(1, n_epochs + 1)
    ]


@pytest.mark.parametrize("n_epochs", [0, 1, 2, 9])
def test_learning_curves_of_any_length(n_epochs):
    for name, chart in (
        plot_learning_curves(
            _history(n_epochs), 9, [BatchLoss(0.5, 2.0)], style=Style()
        )
        ._asdict()
        .items()
    ):
        rule, batches, lines, _ = chart["layer"]
        assert len(lines["data"]["values"]) == 2 * n_epochs
        marked = [row["epoch"] for row in rule["data"]["values"]]
        assert marked == ([] if n_epochs < 2 else [min(3, n_epochs)])
        axis = lines["encoding"]["x"]
        assert axis["axis"]["tickMinStep"] == 1
        assert axis["scale"]["domain"] == [0, 9]
        assert lines["encoding"]["y"]["field"] == name
        shown = [{"epoch": 0.5, "loss": 2.0}] if name == "loss" else []
        assert batches["data"]["values"] == shown


def test_each_chart_is_named_after_its_metric():
    loss, accuracy = plot_learning_curves([], 3, style=Style())
    for chart, name in ((loss, "loss"), (accuracy, "accuracy")):
        titles = {
            layer["encoding"]["y"].get("title", name)
            for layer in chart["layer"]
            if "field" in layer["encoding"].get("y", {})
        }
        assert titles == {name}
