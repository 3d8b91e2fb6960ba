"""The recordings of a run: listed once, split, and handed to every step.

Owns the way from a run's settings to its clips, of digits and of other words, and that
no corpus is removed while a run needs it. What is made of them is for `data` and
`execution`.
"""

from dataclasses import dataclass

from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.corpora.library import load_corpus, remove_corpus
from audiomnist.corpora.other_words import load_other_words, split_other_words
from audiomnist.corpora.splits import Split
from audiomnist.errors import RunError
from audiomnist.runs.config import RunConfig
from audiomnist.runs.folder import ENDED, list_runs


@dataclass(frozen=True)
class RunClips:
    """What a run learns from and is tested on.

    Parameters
    ----------
    corpora
        By their name or folder in the run's settings.
    split
        Of all corpora together.
    words
        Recordings of other words, by their source's name or folder in the settings;
        empty if the run learns from none.
    split_words
        All of them in the parts "train", "validation" and "test", beside `split`.
    """

    corpora: dict[str, Corpus]
    split: Split
    words: dict[str, tuple[Clip, ...]]
    split_words: dict[str, tuple[Clip, ...]]


def resolve_clips(config: RunConfig) -> RunClips:
    """List the recordings of a run and split them; always the same way.

    Raises
    ------
    CorpusError
        If a corpus or source of other words is not here, or the corpora cannot be
        split like this.
    """
    corpora = {name: load_corpus(name) for name in config.corpora}
    split = config.split(tuple(corpora.values()))
    sources = config.others if config.training.others_part else ()
    words = {name: load_other_words(name) for name in sources}
    apart = config.rule.kept_from_training(split, corpora.values())
    parts = split_other_words(
        (clip for clips in words.values() for clip in clips), apart, config.split_seed
    )
    return RunClips(corpora, split, words, parts)


def remove_unused_corpus(name: str) -> None:
    """Delete a corpus from this machine, unless a run still needs its recordings.

    Raises
    ------
    RunError
        If a run that waits or is being trained has it; such a run reads its test part
        last.
    CorpusError
        If there is no such corpus, or it is the embedded one.
    """
    for run in list_runs():
        config = run.config
        if run.state not in ENDED and name in (*config.corpora, *config.others):
            raise RunError(
                f"The corpus {name!r} is needed by the run "
                f"{config.title or run.id!r}, which is {run.state}. Wait for the run "
                "or cancel it, then remove the corpus."
            )
    remove_corpus(name)
