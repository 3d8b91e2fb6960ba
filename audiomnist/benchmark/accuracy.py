"""How the models that come with the app hear the clips that their split held out."""

from dataclasses import replace
from typing import Any

from audiomnist.benchmark import report
from audiomnist.configs import config_from_dict
from audiomnist.corpora import load_corpus
from audiomnist.evaluation import evaluate
from audiomnist.models import find_model, list_models
from audiomnist.run_folders import RunConfig
from audiomnist.settings import settings
from audiomnist.significance import Rate


def shipped_models() -> list[str]:
    """Names of the models that come with the app."""
    return [name for name in list_models() if (settings().models / name).is_dir()]


def measure() -> dict[str, Any]:
    """Evaluate each shipped model on the test part of each of its corpora.

    Returns
    -------
    dict
        models: a list of model, corpus, whether its voices are synthetic, split
        rule and seed, the test speakers, and n and n_correct of the test part.

    Raises
    ------
    CorpusError
        If one of the corpora is not here.
    """
    return {"models": [row for name in shipped_models() for row in _evaluate(name)]}


def table(entry: dict[str, Any]) -> str:
    """Lay a result out for the README."""
    head = ["model", "tested on", "split", "clips", "accuracy (95 % interval)"]
    rows = []
    for row in entry["models"]:
        rate = Rate(row["n_correct"], row["n"])
        n_speakers = len(row["speakers"])
        who = ", ".join(row["speakers"]) if n_speakers < 5 else f"{n_speakers} voices"
        voices = " (synthetic)" if row["is_synthetic"] else ""
        rows.append(
            [
                row["model"],
                f"{row['title']}{voices}: {who}",
                f"{row['rule']}, seed {row['seed']}",
                f"{rate.n:,}",
                f"{rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})",
            ]
        )
    return report.markdown_table(head, rows)


def _evaluate(name: str) -> list[dict[str, Any]]:
    """One shipped model on its corpora, one after the other."""
    model = find_model(name)
    config = config_from_dict(RunConfig, model.record["config"])
    rows = []
    for corpus in map(load_corpus, config.corpora):
        clips = replace(config, corpora=(corpus.name,)).split().test
        accuracy = evaluate(model, clips).accuracy
        rows.append(
            {
                "model": name,
                "corpus": corpus.name,
                "title": corpus.title,
                "is_synthetic": corpus.is_synthetic,
                "rule": config.split_rule,
                "seed": config.split_seed,
                "speakers": sorted({clip.speaker for clip in clips}),
                "n": accuracy.n,
                "n_correct": accuracy.successes,
            }
        )
    return rows
