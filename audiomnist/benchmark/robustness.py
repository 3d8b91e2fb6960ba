"""Accuracy of the shipped models under noise, level, file formats and faults."""

from collections.abc import Sequence
from typing import Any

from audiomnist.benchmark import report
from audiomnist.benchmark.accuracy import shipped_models
from audiomnist.corpora.clips import Clip
from audiomnist.corpora.library import load_corpus
from audiomnist.evaluation.conditions import CONDITIONS
from audiomnist.evaluation.robustness import (
    Outcome,
    evaluate_under,
    expose,
    load_recordings,
)
from audiomnist.evaluation.significance import Rate
from audiomnist.recognition.models import Model, find_model
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.runs.record import read_record

CORPUS = "fsdd"
"""The corpus whose clips are tested."""

SEED = 0
"""Seed of all noise."""

_COUNTS = (
    *("correct", "answered", "answered_correctly"),
    *("found", "placed", "correct_if_placed"),
)


def measure(n_takes: int = 5) -> dict[str, Any]:
    """Evaluate each shipped model on official test clips under every condition.

    Parameters
    ----------
    n_takes
        Takes of each speaker and digit of the Free Spoken Digit Dataset, the first
        ones of its official test part.

    Returns
    -------
    dict
        corpus and title, takes, seed, and n, the clips; n_trained, how many of them
        each model was trained on; conditions: a list of name, group and models, which
        has the counts of `robustness.Outcome` by model.

    Raises
    ------
    CorpusError
        If the corpus is not here.
    """
    corpus = load_corpus(CORPUS)
    takes = sorted(corpus.official_test_takes)[:n_takes]
    clips = [clip for clip in corpus.clips if clip.take in takes]
    recordings = load_recordings(clips)
    models = {name: find_model(name) for name in shipped_models()}
    recognizers = {name: Recognizer(model) for name, model in models.items()}
    rows = []
    for condition in CONDITIONS:
        exposure = expose(recordings, condition, SEED)
        outcomes = {
            name: _counts(evaluate_under(recognizer, exposure))
            for name, recognizer in recognizers.items()
        }
        rows.append(
            {"name": condition.name, "group": condition.group, "models": outcomes}
        )
    return {
        "corpus": corpus.name,
        "title": corpus.title,
        "takes": takes,
        "seed": SEED,
        "n": len(clips),
        "n_trained": {name: _n_trained(model, clips) for name, model in models.items()},
        "conditions": rows,
    }


def table(entry: dict[str, Any]) -> str:
    """Lay a result out as Markdown: first noise, then everything else."""
    clean, *others = entry["conditions"]
    noise = [row for row in others if row["group"] == "noise"]
    rest = [row for row in others if row["group"] != "noise"]
    takes = f"{entry['takes'][0]} to {entry['takes'][-1]}"
    models = list(clean["models"])
    trained = ", ".join(f"{name} {n}" for name, n in entry["n_trained"].items())
    tables = [
        report.markdown_table(
            [head, *models, "word in its place"],
            [
                [
                    row["name"],
                    *(_cell(row, clean, name, entry["n"]) for name in models),
                    _placed(row, entry["n"]),
                ]
                for row in rows
            ],
        )
        for head, rows in (
            ("with noise (signal-to-noise ratio)", [clean, *noise]),
            ("otherwise", rest),
        )
    ]
    return "\n\n".join(
        [
            f"{entry['title']}, official test takes {takes}: n = {entry['n']} in each "
            f"cell, seed {entry['seed']}. Clips of these that a model was trained on: "
            f"{trained}; it may have been trained on others by the same speakers. Each "
            "cell gives the accuracy, its 95 % interval and the difference from the "
            "clips as recorded, in points.",
            *tables,
        ]
    )


def _n_trained(model: Model, clips: Sequence[Clip]) -> int:
    """How many of the clips the model was trained on."""
    config = read_record(model.folder).config
    if CORPUS not in config.corpora:
        return 0
    return len(set(config.split_one(load_corpus(CORPUS)).train).intersection(clips))


def _counts(outcome: Outcome) -> dict[str, int]:
    """How often each of the things that are counted happened."""
    return {name: getattr(outcome, name).successes for name in _COUNTS}


def _cell(row: dict[str, Any], clean: dict[str, Any], name: str, n: int) -> str:
    """A model's accuracy and its difference to that without the condition."""
    rate, without = (Rate(r["models"][name]["correct"], n) for r in (row, clean))
    points = 100 * (rate.value - without.value)
    cell = report.rate_text(rate)
    return cell if row is clean else f"{cell}, {points:+.1f}"


def _placed(row: dict[str, Any], n: int) -> str:
    """How often the word was found where it is, by the model that does it worst."""
    n_placed = min(counts["placed"] for counts in row["models"].values())
    return f"{n_placed / n:.1%}"
