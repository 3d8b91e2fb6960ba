"""Training from nothing: processor time and epochs to an accuracy of 99 %."""

import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from audiomnist.benchmark import report
from audiomnist.corpora.library import load_corpus
from audiomnist.corpora.split_rules import RULES
from audiomnist.evaluation.significance import Rate
from audiomnist.features.cache import clip_features, clip_spectra
from audiomnist.runs.presets import preset
from audiomnist.training.data import TrainingData
from audiomnist.training.history import EpochMetrics
from audiomnist.training.loop import train

TARGET = 0.99
"""Accuracy on the held-out fifth whose first epoch is looked for."""

_CORPUS, _RULE = "fsdd", "random"


def measure(seeds: int = 5) -> dict[str, Any]:
    """Train both kinds of network on four fifths of a corpus, follow it on the rest.

    The held-out fifth takes the place of the validation part: it is evaluated after
    each epoch and chooses nothing, so the accuracy is that of the last epoch.

    Parameters
    ----------
    seeds
        Seeds 0 to `seeds` - 1, each for split and training.

    Returns
    -------
    dict
        corpus, rule and target; networks: by kind a list of trainings with seed,
        n_train, epochs and processor seconds to the target (None if it was not
        reached), epochs and processor seconds in all, and n_correct of the n_test
        held-out clips.

    Raises
    ------
    CorpusError
        If the Free Spoken Digit Dataset is not here.
    """
    return {
        "corpus": _CORPUS,
        "rule": _RULE,
        "target": TARGET,
        "networks": {
            kind: [_train(kind, seed) for seed in range(seeds)]
            for kind in ("ann", "cnn")
        },
    }


def table(entry: dict[str, Any]) -> str:
    """Lay a result out as Markdown."""
    head = [
        "network",
        "seeds",
        f"epochs to {entry['target']:.0%}",
        "processor time to it",
        "epochs in all",
        "accuracy after the last, all seeds (95 % interval)",
    ]
    rows = []
    for kind, trainings in entry["networks"].items():
        to_target = [training["epochs_to_target"] for training in trainings]
        seconds = [training["seconds_to_target"] for training in trainings]
        is_reached = None not in to_target
        correct = sum(training["n_correct"] for training in trainings)
        rate = Rate(correct, sum(training["n_test"] for training in trainings))
        rows.append(
            [
                kind,
                f"0 to {len(trainings) - 1}" if len(trainings) > 1 else "0",
                _range(to_target) if is_reached else "not with every seed",
                f"{_range(seconds, '.1f')} s" if is_reached else "",
                _range([training["epochs"] for training in trainings]),
                f"{report.rate_text(rate)}, n = {rate.n:,}",
            ]
        )
    return report.markdown_table(head, rows)


def _range(values: list[Any], layout: str = "") -> str:
    """The middle of some numbers, with the smallest and the largest."""
    least, most = min(values), max(values)
    if least == most:
        return f"{least:{layout}}"
    middle = statistics.median_low(values)
    return f"{middle:{layout}} ({least:{layout}} to {most:{layout}})"


def _train(kind: str, seed: int) -> dict[str, Any]:
    """One training, as the preset of its kind has it."""
    basis = preset(kind)
    split = RULES[_RULE].split_corpus(load_corpus(_CORPUS), seed)
    learned = clip_spectra(split.train + split.validation, basis.features)
    held_out = clip_features(split.test, basis.features)
    data = TrainingData(
        learned.spectra,
        learned.digits,
        held_out.values,
        held_out.digits,
        basis.features,
    )
    history: list[EpochMetrics] = []
    with tempfile.TemporaryDirectory() as folder:
        train(
            basis.network,
            replace(basis.training, seed=seed),
            data,
            Path(folder),
            on_epoch=history.append,
        )
    reached = [metrics.epoch for metrics in history if metrics.val_accuracy >= TARGET]
    seconds = np.cumsum([metrics.processor_seconds for metrics in history])
    return {
        "seed": seed,
        "n_train": len(learned.clips),
        "epochs_to_target": reached[0] if reached else None,
        "seconds_to_target": float(seconds[reached[0] - 1]) if reached else None,
        "epochs": len(history),
        "seconds": float(seconds[-1]),
        "n_correct": round(history[-1].val_accuracy * len(held_out.clips)),
        "n_test": len(split.test),
    }
