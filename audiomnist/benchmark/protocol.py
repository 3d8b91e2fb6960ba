"""Accuracy of each recipe by random splits, on unknown speakers and another corpus.

Every figure is that of a run, which stays in the folder of runs and is found again:
what was trained once is not trained again, and an interrupted benchmark goes on where
it was.
"""

from dataclasses import replace
from typing import Any

from audiomnist.benchmark import report
from audiomnist.corpora.library import load_corpus
from audiomnist.evaluation.files import load_evaluation
from audiomnist.evaluation.rejection import at_coverage
from audiomnist.evaluation.significance import Rate
from audiomnist.recipes.models import (
    RECIPES,
    find_finished,
    find_or_create,
    find_recipe,
)
from audiomnist.recognition.models import Model
from audiomnist.recognition.record import FINISHED
from audiomnist.runs.config import RunConfig
from audiomnist.runs.execution import execute_run

_CORPUS = "fsdd"
_COVERAGE = 0.95
_QUICK_EPOCHS = 2

TITLES = {
    "random": "random 80/20, seeds {}",
    "leave_one_out": "one speaker left out at a time",
    "corpus": "tested on all of {}",
}
"""What the table calls each way of splitting, with its seeds or the corpus held out."""

_MIN_CLIPS = 30  # of a speaker who may be called the worst


def measure(
    *, quick: bool, names: tuple[str, ...] = (), saved: bool = False
) -> dict[str, Any]:
    """Train by every split of the Free Spoken Digit Dataset, and test on the rest.

    It is also trained on alone and tested on every other corpus of recordings.

    Parameters
    ----------
    quick
        The ANN alone, one seed, one speaker, and two epochs.
    names
        Recipes to train; all of them if empty.
    saved
        Train nothing: only the runs that are finished count.

    Returns
    -------
    dict
        corpora: what else is trained on; runs: a list of recipe, rule, held_out, seed,
        run, n, n_correct, speakers, and of 95 % of the clips answered how many are
        right.

    Raises
    ------
    CorpusError
        If the dataset is not here.
    """
    if quick:
        names = ("ann",)
    configs = [
        (name, config)
        for name in names or tuple(RECIPES)
        for config in _configs(name, quick=quick)
    ]
    runs = (evaluated(*config, saved=saved) for config in configs)
    return {"corpus": _CORPUS, "runs": [run for run in runs if run]}


def table(entry: dict[str, Any]) -> str:
    """Lay a result out as Markdown."""
    head = [
        "model",
        "split",
        "trained on",
        "clips",
        "accuracy (95 % interval)",
        "worst speaker",
        "of the surest 95 %",
    ]
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for run in entry["runs"]:
        trained_on, tested_on = list(run["corpora"]), ""
        if run["rule"] == "corpus":
            tested_on = run["held_out"]
            trained_on.remove(tested_on)
        key = (run["recipe"], run["rule"], tested_on, ", ".join(trained_on))
        groups.setdefault(key, []).append(run)
    rows = []
    for (recipe, rule, tested_on, trainers), members in groups.items():
        seeds = ", ".join(map(str, sorted({run["seed"] for run in members})))
        rate = _sum(members, "n_correct", "n")
        rows.append(
            [
                recipe,
                TITLES[rule].format(tested_on or seeds),
                trainers,
                f"{rate.n:,}",
                report.rate_text(rate),
                _worst(members),
                f"{_sum(members, 'n_sure_correct', 'n_sure').value:.1%}",
            ]
        )
    return report.markdown_table(head, rows)


def _worst(members: list[dict[str, Any]]) -> str:
    """The speaker who is recognized worst, of those with enough clips to tell."""
    speakers: dict[str, Rate] = {}
    for run in members:
        for who, (n_correct, n) in run["speakers"].items():
            before = speakers.get(who, Rate(0, 0))
            speakers[who] = Rate(before.successes + n_correct, before.n + n)
    known = [who for who, rate in speakers.items() if rate.n >= _MIN_CLIPS]
    if not known:
        return f"{len(speakers)} people, few clips each"
    worst = min(known, key=lambda who: speakers[who].value)
    return f"{worst}: {speakers[worst].value:.1%}"


def _configs(name: str, *, quick: bool) -> list[RunConfig]:
    """The runs of one recipe: by seeds, by speakers, by corpora."""
    everything = find_recipe(name).config()
    seeds = range(1 if quick else 5)
    speakers = load_corpus(_CORPUS).speakers[: 1 if quick else None]
    alone = replace(everything, corpora=(_CORPUS,), split_rule="random")
    configs = [
        replace(alone, split_seed=seed, training=replace(alone.training, seed=seed))
        for seed in seeds
    ]
    configs += [
        replace(everything, split_rule="leave_one_out", held_out=speaker)
        for speaker in speakers
    ]
    if not quick:
        configs.append(replace(everything, split_rule="corpus", held_out=_CORPUS))
        configs += [
            replace(
                everything,
                corpora=(_CORPUS, other),
                split_rule="corpus",
                held_out=other,
            )
            for other in everything.corpora
            if other != _CORPUS and not load_corpus(other).is_synthetic
        ]
    if quick:
        configs = [
            replace(
                config,
                corpora=tuple(corpus for corpus in config.corpora if corpus == _CORPUS),
                training=replace(config.training, epochs=_QUICK_EPOCHS),
            )
            for config in configs
        ]
    return [replace(config, title=_title(name, config)) for config in configs]


def _title(name: str, config: RunConfig) -> str:
    """What such a run is called in the list."""
    what = config.held_out or f"seed {config.split_seed}"
    return f"Protocol {name}: {config.split_rule}, {what}"


def evaluated(
    name: str, config: RunConfig, *, saved: bool = False
) -> dict[str, Any] | None:
    """Find or train a run of these settings, and count its correct answers.

    Parameters
    ----------
    name
        The recipe.
    config
        The run's settings.
    saved
        Train nothing: None if there is no such run.
    """
    finished = find_finished(config)
    if saved and finished is None:
        return None
    run = finished or find_or_create(config)
    if run.state != FINISHED:
        execute_run(run)
    result = load_evaluation(run.folder)
    sure = at_coverage(result, _COVERAGE)
    right_of: dict[str, list[bool]] = {}
    for clip, is_correct in zip(result.clips, result.is_correct, strict=True):
        right_of.setdefault(clip.speaker, []).append(bool(is_correct))
    return {
        "recipe": name,
        "rule": config.split_rule,
        "held_out": config.held_out,
        "seed": config.split_seed,
        "corpora": list(config.corpora),
        "run": run.id,
        "n_parameters": Model.load(run.folder).n_parameters,
        "n": result.accuracy.n,
        "n_correct": result.accuracy.successes,
        "n_sure": sure.accuracy.n,
        "n_sure_correct": sure.accuracy.successes,
        "speakers": {
            speaker: [sum(right), len(right)] for speaker, right in right_of.items()
        },
    }


def _sum(members: list[dict[str, Any]], correct: str, n: str) -> Rate:
    """One rate of several runs together."""
    return Rate(sum(run[correct] for run in members), sum(run[n] for run in members))
