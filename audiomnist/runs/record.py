"""The record of a run, `run.json`: what was asked for, and what has come of it.

Owns the type of the record, with reading and writing it. How a network's part of it is
read without the run is for `recognition.record`; who writes what, and when, for
`queue`, `execution` and `outcome`.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from audiomnist.configs import config_from_dict, config_to_dict
from audiomnist.corpora.checks import SplitCheck
from audiomnist.errors import AudioMnistError, RunError
from audiomnist.evaluation.significance import Rate
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.record import (
    FINISHED,
    FORMAT,
    RECORD,
    ModelRecord,
    read_values,
)
from audiomnist.runs.config import RunConfig
from audiomnist.storage import write_json

STATES = ("waiting", "running", FINISHED, "cancelled", "failed")


@dataclass(frozen=True)
class SplitRecord:
    """Which clips a run was made of, in numbers and by a digest.

    Parameters
    ----------
    rule, seed
        How they were split, see `split_rules.RULES`.
    digest
        Sha256 over the clips of each part.
    train, validation, test
        Number of clips in each part.
    """

    rule: str
    seed: int
    digest: str
    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class UnknownSpeakersTest:
    """How well a recipe's network recognizes unknown speakers.

    Parameters
    ----------
    run
        Id of the run that kept them apart: the same settings, fewer speakers.
    calibration
        What was fitted to their clips.
    n_speakers, n_clips, n_correct
        Speakers and clips of digits, and how many of the clips that run recognized
        correctly.
    n_words, n_words_answered
        Recordings of other words by these speakers, and how many of them are taken for
        a digit with this calibration.
    """

    run: str
    calibration: Calibration
    n_speakers: int
    n_clips: int
    n_correct: int
    n_words: int
    n_words_answered: int

    @property
    def accuracy(self) -> Rate:
        """Share of the clips that were recognized correctly."""
        return Rate(self.n_correct, self.n_clips)

    @property
    def false_answers(self) -> Rate:
        """Share of the other words that are taken for a digit."""
        return Rate(self.n_words_answered, self.n_words)


@dataclass(frozen=True)
class RunRecord:
    """What a run's folder says of it.

    Parameters
    ----------
    id
        The run's id; a shipped model keeps that of the run that made it.
    created
        When it was made.
    config
        What was asked for.
    state, message
        One of `STATES` as last written, and why it failed, else "".
    waiting_since
        When it began to wait again; None before it is first resumed.
    corpora
        Digest of each corpus by its name; empty before the run has begun.
    split
        Its clips; None before it has begun.
    check
        What its clips cannot tell, or tell too well; None before it has begun.
    versions
        Of Python and the packages that trained it; empty before it has begun.
    model
        Its network; None before that is trained.
    best_epoch
        The epoch whose weights were kept, counted from 1; None before the end.
    seconds, processor_seconds
        Duration of the epochs, and what all cores spent on them; None before the end.
    strangers
        How well unknown speakers were recognized; None where nobody tested it.
    finished
        When it ended, in whatever way; None before that.

    Raises
    ------
    RunError
        If the state is not one of `STATES`.
    """

    id: str
    created: datetime
    config: RunConfig
    state: str = "waiting"
    message: str = ""
    waiting_since: datetime | None = None
    corpora: dict[str, str] = field(default_factory=dict)
    split: SplitRecord | None = None
    check: SplitCheck | None = None
    versions: dict[str, str] = field(default_factory=dict)
    model: ModelRecord | None = None
    best_epoch: int | None = None
    seconds: float | None = None
    processor_seconds: float | None = None
    strangers: UnknownSpeakersTest | None = None
    finished: datetime | None = None

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise RunError(
                f"Its state is {self.state!r}; expected one of {list(STATES)}."
            )


def read_record(folder: Path) -> RunRecord:
    """Read the record in a run's or a model's folder, of this or an older version.

    Raises
    ------
    RunError
        If there is none, or it is damaged.
    """
    try:
        return _record(json.dumps(read_values(folder)))
    except AudioMnistError as error:
        raise RunError(
            f"The run {folder.name} is damaged ({error}) Delete it and train again."
        ) from error


def write_record(folder: Path, record: RunRecord) -> None:
    """Write a run's record whole or not at all.

    Raises
    ------
    OSError
        If the disk refuses it.
    """
    write_json(folder / RECORD, {"format": FORMAT, **config_to_dict(record)})


@lru_cache(maxsize=1024)
def _record(text: str) -> RunRecord:
    """The record of a text in JSON; pages ask for it again and again."""
    return config_from_dict(RunRecord, json.loads(text))
