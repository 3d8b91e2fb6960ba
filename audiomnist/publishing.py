"""Ship a finished run: its model under a name of its own, with a card.

Owns the copy in the folder of shipped models and the text of the card, in which
every figure is read from the run. How a model is evaluated is for `evaluation`.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from audiomnist import evaluation
from audiomnist.clips import Corpus
from audiomnist.corpora import load_corpus
from audiomnist.errors import ModelError
from audiomnist.evaluation import FILE_NAME, Evaluation
from audiomnist.history import HISTORY
from audiomnist.models import COVERAGE, FINISHED, RECORD, Model, is_folder_name
from audiomnist.run_folders import Run, RunConfig
from audiomnist.settings import settings, writable_folder
from audiomnist.splits import RULES
from audiomnist.training import LITERT, WEIGHTS

CARD = "CARD.md"

_N_WEAK = 3
"""Digits and confusions that the card names."""


def publish(run: Run, name: str) -> Path:
    """Copy a finished run's model to the shipped models and write its card.

    A model that is shipped under this name already is replaced.

    Raises
    ------
    ModelError
        If the run is not finished, the name is no plain folder name, or the
        folder cannot be written.
    """
    if run.state != FINISHED:
        raise ModelError(
            f"The run {run.id} is {run.state}; only a finished run has a model."
        )
    if not is_folder_name(name):
        raise ModelError(
            f"{name!r} cannot name a model; expected letters, digits, '-', '_' and '.'."
        )
    text = card(name, Model.load(run.folder), run.config)
    folder = writable_folder(settings().models / name)
    try:
        for file in (RECORD, HISTORY, WEIGHTS, LITERT, FILE_NAME):
            shutil.copyfile(run.folder / file, folder / file)
        (folder / CARD).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ModelError(
            f"The model cannot be written to {folder} ({error.strerror}). "
            "Make room there or set AUDIOMNIST_MODELS to another folder."
        ) from error
    return folder


def card(name: str, model: Model, config: RunConfig) -> str:
    """Describe a model in Markdown: data, protocol, figures, weaknesses.

    Raises
    ------
    ModelError
        If the model has no evaluation.
    CorpusError
        If a corpus that it was trained on is not here.
    """
    result = evaluation.load(model.folder)
    corpora = [load_corpus(corpus) for corpus in config.corpora]
    sections = (
        f"# {name}\n\n{_summary(model, config)}",
        "## Data\n\n" + "\n".join(_data(corpus) for corpus in corpora),
        "## Protocol\n\n" + _protocol(model, config),
        "## Figures on the test part\n\n" + _figures(result, corpora),
        "## Weaknesses\n\n" + _weaknesses(result),
        "## Use\n\n" + _use(name, model),
    )
    return "\n\n".join(sections) + "\n"


def _summary(model: Model, config: RunConfig) -> str:
    """What the model is."""
    features = config.features
    n_bins, n_frames = features.shape
    what = "log-mel bands" if features.kind == "log_mel" else "MFCC"
    size = (model.folder / LITERT).stat().st_size
    return (
        f"{config.network.kind.upper()} that hears one spoken English digit, 0 to 9. "
        f"{model.n_parameters:,} parameters, {size / 1e6:.2f} MB as LiteRT. It sees "
        f"{n_bins} {what} in {n_frames} frames, made from sound at "
        f"{features.sample_rate} Hz."
    )


def _data(corpus: Corpus) -> str:
    """One corpus with its licence."""
    voices = "synthetic voices" if corpus.is_synthetic else "recorded speakers"
    return (
        f"- {corpus.title}: {len(corpus.clips):,} clips, {len(corpus.speakers)} "
        f"{voices}. {corpus.licence}. {corpus.citation}"
    )


def _protocol(model: Model, config: RunConfig) -> str:
    """How it was split and trained."""
    split, training = config.split(), config.training
    augmented = "with" if training.augmentation else "without"
    return (
        f"Split rule “{config.split_rule}”, seed {config.split_seed}: "
        f"{RULES[config.split_rule]} {len(split.train):,} clips train, "
        f"{len(split.validation):,} validate, {len(split.test):,} test. Up to "
        f"{training.epochs} epochs, batches of {training.batch_size}, learning rate "
        f"{training.learning_rate:g}, {augmented} augmentation, seed {training.seed}; "
        "the weights are those of the epoch with the lowest validation loss. The test "
        "part chose nothing. The whole configuration, versions and digests of data and "
        f"split are in `{RECORD}`."
    )


def _figures(result: Evaluation, corpora: list[Corpus]) -> str:
    """Accuracy with its interval, overall, by corpus and by speaker."""
    rows = [("all", result)]
    rows += [(corpus.title, _part(result, corpus)) for corpus in corpora]
    lines = ["| part | n | accuracy | 95 % interval |", "| --- | --- | --- | --- |"]
    for title, part in rows:
        rate = part.accuracy
        if rate.n:
            lines.append(
                f"| {title} | {rate.n} | {rate.value:.1%} | "
                f"{rate.low:.1%} to {rate.high:.1%} |"
            )
    return "\n".join(lines) + "\n\nIntervals after Wilson."


def _weaknesses(result: Evaluation) -> str:
    """Digits and speakers that it hears worst, and what it mixes up."""
    recall = result.report()["recall"].drop(["macro avg", "weighted avg"])
    worst = recall.sort_values().head(_N_WEAK)
    speakers = result.per_speaker().sort_values("accuracy").head(_N_WEAK)
    wrong = result.confusion()[:, :10]
    np.fill_diagonal(wrong, 0)
    pairs = np.argsort(-wrong, axis=None, kind="stable")[:_N_WEAK]
    mixed = [(*divmod(int(pair), 10), int(wrong.flat[pair])) for pair in pairs]
    lines = [
        "- Digits understood least often: "
        + ", ".join(f"{digit} ({value:.1%})" for digit, value in worst.items())
        + ".",
        "- Speakers understood least often: "
        + ", ".join(
            f"{row.speaker} ({row.accuracy:.1%} of {row.n})"
            for row in speakers.itertuples()
        )
        + ".",
        "- Commonest confusions: "
        + ", ".join(
            f"{said} heard as {heard} ({count} times)"
            for said, heard, count in mixed
            if count
        )
        + ".",
        "- English digits said alone. Children, strong noise and words that are not "
        "digits were not tested.",
    ]
    return "\n".join(lines)


def _use(name: str, model: Model) -> str:
    """How to call it, and when it does not answer."""
    return (
        f"```\npython -m audiomnist predict --model {name} FILE\n```\n\n"
        f"It answers from a probability of {model.threshold:.3f} on, so that "
        f"{COVERAGE:.0%} of the validation clips get an answer. Weights: MIT licence, "
        "as the code."
    )


def _part(result: Evaluation, corpus: Corpus) -> Evaluation:
    """The part of an evaluation whose recordings are in a corpus."""
    clips = set(corpus.clips)
    chosen = [number for number, clip in enumerate(result.clips) if clip in clips]
    return replace(
        result,
        clips=tuple(result.clips[number] for number in chosen),
        probabilities=result.probabilities[chosen],
    )
