"""The model card: what a shipped model is, learned from, and how well it does.

Owns the figures, all of which are read from the run or measured; the text is in
the templates `model_card.md.j2` and, for the data, `model_card_data.md.j2`.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiomnist.corpora.clips import Corpus
from audiomnist.corpora.other_words import EMBEDDED
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
from audiomnist.runs.record import RunRecord

if TYPE_CHECKING:
    from jinja2 import Environment

LITERT_16BIT = "model-16bit.tflite"
"""The same network with weights of 16 bits."""

_TEMPLATE, _DATA_TEMPLATE = "model_card.md.j2", "model_card_data.md.j2"

_N_WEAK = 3
"""Digits and confusions that the card names."""


@dataclass(frozen=True)
class Finer:
    """How the version with weights of 16 bits does on the test part.

    Parameters
    ----------
    file, size_mb
        Its name, and its size as a text.
    accuracy
        On the test part.
    n_different
        Clips to which it gives another answer than the version with 8 bits.
    """

    file: str
    size_mb: str
    accuracy: Rate
    n_different: int


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
    parts = [("all", result.accuracy)]
    parts += [(corpus.title, _part(result, corpus).accuracy) for corpus in corpora]
    testing = {clip.speaker for clip in clips.split.test}
    training = {clip.speaker for clip in clips.split.train}
    text = (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            name=name,
            model=model,
            features=model.features,
            kind=KINDS[model.features.kind],
            network=find_architecture(config.network.kind),
            remark=config.network.remark(),
            apart_ms=2000 * model.network.view_shift * model.features.spectrum.hop,
            size_mb=_size_mb(model.folder / LITERT),
            config=config,
            training=config.training,
            data=describe_data(config, clips),
            split=clips.split,
            n_shared=len(testing & training),
            strangers=record.strangers,
            parts=parts,
            accuracy=result.accuracy,
            finer=compare_16_bits(model, result),
            litert=LITERT,
            record_name=RECORD,
            **_weaknesses(result),
        )
    )
    return _without_empty_runs(text)


def describe_data(config: RunConfig, clips: RunClips) -> str:
    """The card's list of what a model learned from, with licences, in Markdown."""
    return (
        _environment()
        .get_template(_DATA_TEMPLATE)
        .render(
            network=find_architecture(config.network.kind),
            training=config.training,
            corpora=list(clips.corpora.values()),
            words=clips.words,
            embedded=EMBEDDED,
            speech_embedding=SPEECH_EMBEDDING,
        )
    )


def _environment() -> "Environment":
    """Templates of this package, in which a missing value is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("audiomnist.recipes", ""),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, read as text
    )
    environment.filters |= {
        "n": lambda count: f"{count:,}",
        "g": lambda value: f"{value:g}",
        "rate": lambda rate: f"{rate.value:.1%}",
        "range": lambda rate: f"{rate.low:.1%} to {rate.high:.1%}",
        "interval": lambda rate: f"{rate.low:.1%} to {rate.high:.1%}, n = {rate.n:,}",
    }
    return environment


def _without_empty_runs(text: str) -> str:
    """Text with one empty line where a template leaves several."""
    return re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n"


def compare_16_bits(model: Model, result: Evaluation) -> Finer | None:
    """Evaluate the version with weights of 16 bits on the clips of an evaluation.

    Returns
    -------
    Finer or None
        None where there is no such version.
    """
    path = model.folder / LITERT_16BIT
    if not path.exists():
        return None
    finer = LiteRTNetwork(
        path,
        model.features.shape,
        model.network.view_shift,
        rejects_unknown=model.calibration.rejects_unknown,
    )
    spoken = clip_features(result.clips, model.features)
    digits = spoken.digits
    logits, fine = (network.logits(spoken.values) for network in (model.network, finer))
    return Finer(
        path.name,
        _size_mb(path),
        Rate(int((fine.argmax(axis=1) == digits).sum()), len(result.clips)),
        int((fine.argmax(axis=1) != logits.argmax(axis=1)).sum()),
    )


def _weaknesses(result: Evaluation) -> dict[str, Any]:
    """Digits and speakers that are recognized worst, and what is confused."""
    recall = result.report()["recall"].drop(["macro avg", "weighted avg"])
    wrong = result.confusion()[:, :10]
    np.fill_diagonal(wrong, 0)
    pairs = np.argsort(-wrong, axis=None, kind="stable")[:_N_WEAK]
    confusions = [(*divmod(int(pair), 10), int(wrong.flat[pair])) for pair in pairs]
    speakers = result.per_speaker().sort_values("accuracy").head(_N_WEAK)
    return {
        "worst_digits": list(recall.sort_values().head(_N_WEAK).items()),
        "worst_speakers": list(speakers.itertuples()),
        "confusions": [confusion for confusion in confusions if confusion[2]],
    }


def _size_mb(path: Path) -> str:
    """Size of a file in MB, with two decimals."""
    return f"{path.stat().st_size / 1e6:.2f}"


def _part(result: Evaluation, corpus: Corpus) -> Evaluation:
    """The part of an evaluation whose recordings are in a corpus."""
    clips = set(corpus.clips)
    chosen = [number for number, clip in enumerate(result.clips) if clip in clips]
    return replace(
        result,
        clips=tuple(result.clips[number] for number in chosen),
        probabilities=result.probabilities[chosen],
    )
