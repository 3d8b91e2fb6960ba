"""The settings of a run: its corpora, their split, features, network and training.

Owns these settings and their checks. The clips that they select are for `clips`, the
folder in which a run keeps them for `folder`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from audiomnist.configs import READ
from audiomnist.corpora.clips import Corpus
from audiomnist.corpora.other_words import EMBEDDED
from audiomnist.corpora.split_rules import RULES
from audiomnist.corpora.splits import Split, SplitRule
from audiomnist.errors import ConfigError
from audiomnist.features.config import FeatureConfig
from audiomnist.networks.architecture import Architecture
from audiomnist.networks.architectures import find_architecture, network_from_dict
from audiomnist.networks.cnn import CnnConfig
from audiomnist.networks.config import NetworkConfig
from audiomnist.networks.pretrained import PRETRAINED
from audiomnist.training.config import TrainConfig

_MAX_TITLE = 100  # characters


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
        How the clips are split, see `split_rules.RULES`.
    held_out
        The speaker or corpus that the rule asks for, else "".
    others
        Sources of other words, from which the network learns what is not a digit: names
        or folders, see `other_words.load_other_words`; none if empty.
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
    network: NetworkConfig = field(
        default_factory=CnnConfig, metadata={READ: network_from_dict}
    )
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
        if bool(self.rule.asks_for) != bool(self.held_out):
            expected = f"a {self.rule.asks_for}" if self.rule.asks_for else "nothing"
            raise ConfigError(
                f"The rule {self.split_rule!r} with {self.held_out!r} held out does "
                f"not fit; expected {expected} to be held out."
            )
        if self.split_seed < 0 or len(self.title) > _MAX_TITLE:
            raise ConfigError(
                f"split_seed is {self.split_seed} and the title has {len(self.title)} "
                f"characters; expected 0 or more, and up to {_MAX_TITLE} characters."
            )
        self._check_features("The network", find_architecture(self.network.kind))
        if part := self.training.taught_part:
            self._check_features(f"A teacher (taught_part is {part:g})", PRETRAINED)

    def _check_features(self, who: str, network: Architecture) -> None:
        """Refuse features that a network cannot be given."""
        kind, (n_bins, n_frames) = self.features.kind, self.features.shape
        if not network.needs.accept((n_bins, n_frames), kind):
            raise ConfigError(
                f"The features are {kind} with {n_bins} bins and {n_frames} frames. "
                f"{who} needs {network.needs}: take the features of the preset of the "
                f"network {network.name}."
            )

    @property
    def rule(self) -> SplitRule:
        """The rule by which the corpora are split."""
        return RULES[self.split_rule]

    def split(self, corpora: Sequence[Corpus]) -> Split:
        """Split the run's corpora as the run does; always the same way.

        Parameters
        ----------
        corpora
            Those named in `corpora`, in that order.

        Raises
        ------
        CorpusError
            If they cannot be split like this.
        """
        return self.rule.split(corpora, self.split_seed, held_out=self.held_out)

    def split_one(self, corpus: Corpus) -> Split:
        """Split one of the corpora, also where the others are not here.

        Raises
        ------
        CorpusError
            If it cannot be split like this.
        """
        return self.rule.split_one(corpus, self.split_seed, held_out=self.held_out)
