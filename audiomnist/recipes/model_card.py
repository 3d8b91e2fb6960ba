"""The model card: what a shipped model is, learned from, and how well it does.

Owns its text, in which every figure is read from the run or measured.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from audiomnist.corpora.clips import Corpus
from audiomnist.corpora.other_words import EMBEDDED
from audiomnist.corpora.splits import Split
from audiomnist.evaluation.files import load_evaluation
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.evaluation.significance import Rate
from audiomnist.features.cache import clip_features
from audiomnist.features.config import KINDS
from audiomnist.networks.architectures import find_architecture
from audiomnist.networks.pretrained import SPEECH_EMBEDDING
from audiomnist.recognition.litert import LiteRTNetwork
from audiomnist.recognition.models import LITERT, Model
from audiomnist.recognition.record import RECORD
from audiomnist.runs.clips import RunClips
from audiomnist.runs.config import RunConfig
from audiomnist.runs.record import RunRecord, StrangerTest

LITERT_16BIT = "model-16bit.tflite"
"""The same network with weights of 16 bits."""

_N_WEAK = 3
"""Digits and confusions that the card names."""


def model_card(name: str, model: Model, record: RunRecord, clips: RunClips) -> str:
    """Describe a model in Markdown: data, protocol, figures, weaknesses.

    Parameters
    ----------
    name
        What the model is called.
    model
        As it is shipped, with its evaluation.
    record, clips
        The record of its run, and the recordings that its settings select.

    Raises
    ------
    ModelError
        If the model has no evaluation.
    """
    config, corpora = record.config, list(clips.corpora.values())
    # A corpus that is a folder is found by the run's settings alone.
    result = load_evaluation(model.folder).with_recordings(corpora)
    sections = (
        f"# {name}\n\n{_summary(model, config)}",
        "## Data\n\n" + "\n".join(_data(clips, config)),
        "## Protocol\n\n" + _protocol(record, clips.split),
        "## Figures on the test part\n\n" + _figures(result, corpora),
        "## In 8 bits\n\n" + _in_8_bits(model, config, result),
        "## Weaknesses\n\n" + _weaknesses(result),
        "## Use\n\n" + _use(name, model, record),
    )
    return "\n\n".join(sections) + "\n"


def _summary(model: Model, config: RunConfig) -> str:
    """What the model is."""
    features = config.features
    n_bins, n_frames = features.shape
    network = find_architecture(config.network.kind)
    remark = f" {config.network.remark()}".rstrip()
    apart = 2000 * model.network.view_shift * features.spectrum.hop
    looks = (
        f" Where it is not sure, it looks again, {apart:g} ms later in the recording, "
        "and there as if it were said quicker."
        if apart
        else ""
    )
    size = (model.folder / LITERT).stat().st_size
    return (
        f"{network.title}, trained to hear one spoken English digit. "
        f"{model.n_parameters:,} parameters, {size / 1e6:.2f} MB as LiteRT "
        f"with weights of 8 bits. It sees {n_bins} {KINDS[features.kind].bins} in "
        f"{n_frames} frames, made from sound at {features.sample_rate} Hz."
        f"{remark}{looks}"
    )


def _data(clips: RunClips, config: RunConfig) -> Iterator[str]:
    """The corpora with their licences, other words, and what it knew before."""
    for corpus in clips.corpora.values():
        voices = "synthetic voices" if corpus.is_synthetic else "recorded speakers"
        yield (
            f"- {corpus.title}: {len(corpus.clips):,} clips, {len(corpus.speakers)} "
            f"{voices}. {corpus.licence}. {corpus.citation}"
        )
    for name, words in clips.words.items():
        said = "synthetic" if name == EMBEDDED else "recorded"
        speakers = len({clip.speaker for clip in words})
        yield (
            f"- Other words, “{name}”: {len(words):,} {said} clips, {speakers} "
            "speakers."
        )
    if pretraining := find_architecture(config.network.kind).pretraining:
        yield f"- Pretrained: the network begins with {pretraining.description}"
    if config.training.taught_part:
        yield (
            "- Taught: the answers of a pretrained network count for "
            f"{config.training.taught_part:g} of what it was told, the labels for the "
            "rest. That network learned from the same clips beside this one, and was "
            f"dropped. It begins with {SPEECH_EMBEDDING.description}"
        )


def _protocol(record: RunRecord, split: Split) -> str:
    """How it was split and trained."""
    config, training = record.config, record.config.training
    augmented = "with" if training.augmentation else "without"
    return (
        f"Split rule “{config.rule.name}”, seed {config.split_seed}: "
        f"{config.rule.explanation} {len(split.train):,} clips train, "
        f"{len(split.validation):,} validate, {len(split.test):,} test. Up to "
        f"{training.epochs} epochs, batches of {training.batch_size}, learning rate "
        f"{training.learning_rate:g}, {augmented} augmentation, seed {training.seed}; "
        "the weights are those of the epoch with the lowest validation loss. The test "
        "part chose nothing. The whole configuration, versions and digests of data and "
        f"split are in `{RECORD}`.{_who_tests(split)}{_strangers(record.strangers)}"
    )


def _who_tests(split: Split) -> str:
    """Whether the test speakers train too."""
    shared = {clip.speaker for clip in split.test} & {
        clip.speaker for clip in split.train
    }
    if not shared:
        return ""
    return (
        f"\n\n{len(shared)} of the test speakers train too, with other clips, which "
        "flatters the figures below."
    )


def _strangers(tested: StrangerTest | None) -> str:
    """What a run of the same settings understood of speakers that it kept apart."""
    if tested is None:
        return ""
    rate, taken = tested.accuracy, tested.false_answers
    coverage = tested.calibration.coverage
    words = (
        f" Where it answers {coverage:.0%} of these, it takes {taken.value:.1%} of the "
        f"other words that they said for a digit ({taken.low:.1%} to {taken.high:.1%}, "
        f"n = {taken.n:,})."
    )
    return (
        f"\n\nOf strangers: a run with the same settings that kept "
        f"{tested.n_speakers} speakers apart understood {rate.value:.1%} of their "
        f"clips ({rate.low:.1%} to {rate.high:.1%}, n = {rate.n:,})."
        f"{words if taken.n else ''} Temperature and threshold are from that run."
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


def _in_8_bits(model: Model, config: RunConfig, result: Evaluation) -> str:
    """What the network loses by weights of 8 bits."""
    path = model.folder / LITERT_16BIT
    if not path.exists():
        return "There is no version with finer weights to compare with."
    finer = LiteRTNetwork(
        path,
        model.features.shape,
        model.network.view_shift,
        rejects_unknown=model.calibration.rejects_unknown,
    )
    heard = clip_features(result.clips, model.features)
    digits = np.array([clip.digit for clip in heard.clips])
    logits, fine = (network.logits(heard.values) for network in (model.network, finer))
    rate = Rate(int((fine.argmax(axis=1) == digits).sum()), len(result.clips))
    n_different = int((fine.argmax(axis=1) != logits.argmax(axis=1)).sum())
    size = (model.folder / LITERT).stat().st_size
    return (
        f"The figures on the test part are those of `{LITERT}`, whose weights have 8 "
        f"bits ({size / 1e6:.2f} MB); those of strangers, the temperature and the "
        f"threshold are of a run with weights of 32 bits. `{path.name}`, with 16 bits "
        f"({path.stat().st_size / 1e6:.2f} MB), understands {rate.value:.1%} of the "
        f"test part ({rate.low:.1%} to {rate.high:.1%}, n = {rate.n}) where the other "
        f"understands {result.accuracy.value:.1%}; they answer differently to "
        f"{n_different} of its clips."
    )


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
        "- English digits said alone. Children were not tested. What noise, pauses, "
        "faults and other words do to it: README, “Results”.",
    ]
    return "\n".join(lines)


def _use(name: str, model: Model, record: RunRecord) -> str:
    """How to call it, and when it does not answer."""
    clips = "strangers' clips" if record.strangers else "validation clips"
    calibration = model.calibration
    licences = "MIT licence, as the code"
    if pretraining := find_architecture(record.config.network.kind).pretraining:
        licences += f"; those of {pretraining.name}: {pretraining.licence}"
    return (
        f"```\npython -m audiomnist predict --model {name} FILE\n```\n\n"
        f"It answers from a probability of {calibration.threshold:.3f} on, so that "
        f"{calibration.coverage:.0%} of the {clips} get an answer. Weights: {licences}."
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
