"""The settings of a run: its corpora, their split, features, network and training.

Owns these settings, their checks, and which clips they select for training and test.
The folder in which a run keeps them is for `folder`.
"""

from dataclasses import dataclass, field

from audiomnist.corpora.clips import Clip, Corpus
from audiomnist.corpora.library import load_corpus
from audiomnist.corpora.other_words import EMBEDDED, load_others, split_others
from audiomnist.corpora.splits import (
    BY_SPEAKER,
    RULES,
    Split,
    hold_out,
    join,
    make_split,
    train_only,
    without_speakers,
)
from audiomnist.errors import ConfigError
from audiomnist.features.config import FeatureConfig
from audiomnist.networks.config import NetworkConfig
from audiomnist.networks.speech_embedding import MIN_FRAMES, N_MELS
from audiomnist.training.config import TrainConfig

_MAX_TITLE = 100  # characters

_HELD_OUT_RULES = ("leave_one_out", "corpus")


@dataclass(frozen=True)
class RunConfig:
    """Everything that a run is made of.

    Parameters
    ----------
    title
        What a person calls it; may be empty.
    corpora
        Names or folders of the corpora that are joined.
    split_rule, split_seed
        Which clips train, validate and test, see `splits.RULES`.
    held_out
        The speaker that "leave_one_out" tests on, or the corpus that "corpus" does,
        else "".
    others
        Names or folders of recordings of other words, from which the network
        learns what is no digit, see `negatives.load_others`; none if empty.
    features, network, training
        What the network sees, what it is, and how it learns.

    Raises
    ------
    ConfigError
        If the settings contradict each other.
    """

    title: str = ""
    corpora: tuple[str, ...] = ("embedded",)
    split_rule: str = "speaker"
    split_seed: int = 0
    held_out: str = ""
    others: tuple[str, ...] = (EMBEDDED,)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    training: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        if not self.corpora or len(set(self.corpora)) < len(self.corpora):
            raise ConfigError(
                f"The corpora are {list(self.corpora)}; expected at least one, and "
                "each once."
            )
        if self.split_rule not in RULES:
            raise ConfigError(
                f"The split rule is {self.split_rule!r}; expected one of {list(RULES)}."
            )
        if (self.split_rule in _HELD_OUT_RULES) != bool(self.held_out):
            raise ConfigError(
                f"The rule {self.split_rule!r} with {self.held_out!r} held out does "
                "not fit; expected a speaker for 'leave_one_out', a corpus for "
                "'corpus', and nothing otherwise."
            )
        if self.split_seed < 0 or len(self.title) > _MAX_TITLE:
            raise ConfigError(
                f"split_seed is {self.split_seed} and the title has {len(self.title)} "
                f"characters; expected 0 or more, and up to {_MAX_TITLE} characters."
            )
        self._check_embedding()

    def _check_embedding(self) -> None:
        """Refuse features of which the speech embedding could make nothing."""
        kind, (n_bins, n_frames) = self.features.kind, self.features.shape
        part = self.training.taught_part
        if not part and not self.network.is_pretrained:
            return
        if kind != "log_mel" or n_bins != N_MELS or n_frames < MIN_FRAMES:
            who = f"A teacher (taught_part is {part:g})" if part else "The network"
            raise ConfigError(
                f"The features are {kind} with {n_bins} bins and {n_frames} frames. "
                f"{who} needs log_mel with {N_MELS} bins and {MIN_FRAMES} frames or "
                "more: take the features of the pretrained network's preset."
            )

    def split(self) -> Split:
        """Split the corpora as the run does; always the same way.

        Raises
        ------
        CorpusError
            If a corpus is not here or cannot be split like this.
        """
        corpora = [load_corpus(name) for name in self.corpora]
        tested = [corpus for corpus in corpora if self._is_tested(corpus)]
        # Where none is, splitting the first one says what is wrong.
        parts = [self._split(corpus, tested or corpora[:1]) for corpus in corpora]
        return without_speakers(join(parts), self._kept_apart())

    def split_of(self, corpus: Corpus) -> Split:
        """Split one of the corpora as the run does, whether the others are here or not.

        But for those whom another corpus's authors set aside: they still train here.

        Raises
        ------
        CorpusError
            If it cannot be split like this.
        """
        return self._split(corpus, [corpus] if self._is_tested(corpus) else [])

    def _is_tested(self, corpus: Corpus) -> bool:
        """Whether some of the test is from a corpus; the others only train."""
        if self.split_rule == "official":
            return bool(corpus.official_test)
        if self.split_rule == "speaker":
            return len(corpus.speakers) > 1  # whoever speaks alone only trains
        if self.split_rule == "leave_one_out":
            return self.held_out in corpus.speakers
        return self.split_rule != "corpus" or corpus.name == self.held_out

    def _split(self, corpus: Corpus, tested: list[Corpus]) -> Split:
        """Split one of the corpora."""
        rule, seed = self.split_rule, self.split_seed
        if corpus not in tested:
            return train_only(corpus, rule, seed)
        if rule == "corpus" and len(self.corpora) > 1 and corpus.name == self.held_out:
            return hold_out(corpus, rule, seed)
        return make_split(corpus, rule, seed, held_out=self.held_out)

    def split_others(self, split: Split) -> dict[str, tuple[Clip, ...]]:
        """Split the recordings of other words beside the digits' split.

        Raises
        ------
        CorpusError
            If there are none of such a name.
        """
        clips = [clip for name in self.others for clip in load_others(name)]
        testing = set(self._kept_apart())
        if self.split_rule in BY_SPEAKER:
            testing |= {clip.speaker for clip in split.test}
        return split_others(clips, testing, self.split_seed)

    def _kept_apart(self) -> frozenset[str]:
        """Speakers whom the corpora's authors set aside, where that is the rule."""
        if self.split_rule != "official":
            return frozenset()
        corpora = map(load_corpus, self.corpora)
        return frozenset().union(*(each.official_test_speakers for each in corpora))
