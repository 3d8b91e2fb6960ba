"""The README's small table: one line for each shipped model, from several benchmarks.

Owns nothing that is measured: every figure is one that `accuracy`, `robustness` and
`latency` have put into the file of results.
"""

from typing import Any

from audiomnist.benchmark import report
from audiomnist.evaluation.significance import Rate

NAME = "summary"
"""Name of the table's place in a page."""

SOURCES = ("accuracy", "robustness", "latency")
"""The results that the table is made from."""

_NOISE = "pink noise, 10 dB"


def table(results: dict[str, Any]) -> str:
    """Lay out accuracy, unknown speakers, noise and speed, a line for each model.

    Parameters
    ----------
    results
        A file of results, as `report.read` gives it, with all of `SOURCES`.
    """
    noisy = next(
        row for row in results["robustness"]["conditions"] if row["name"] == _NOISE
    )
    n_noisy = results["robustness"]["n"]
    rows = []
    for answers in results["accuracy"]["answers"]:
        name = answers["model"]
        tested = [row for row in results["accuracy"]["models"] if row["model"] == name]
        rows.append(
            [
                f"`{name}`",
                _share(
                    sum(row["n_correct"] for row in tested),
                    sum(row["n"] for row in tested),
                ),
                _share(answers["n_correct_strangers"], answers["n_strangers"]),
                _share(noisy["models"][name]["correct"], n_noisy),
                f"{results['latency']['models'][name]['median_ms']:.1f} ms",
            ]
        )
    head = [
        "model",
        "test clips, known speakers",
        "clips of unknown speakers",
        f"test clips in {_NOISE}",
        "time for one recording",
    ]
    return report.markdown_table(head, rows)


def _share(n_correct: int, n: int) -> str:
    """A share with its interval and the number of clips."""
    text = report.rate_text(Rate(n_correct, n))
    return f"{text}, n = {n:,}" if n else text
