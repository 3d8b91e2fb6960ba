"""How the models that come with the app are made, from recordings to a card.

Owns the settings of each of them, and the steps: a run that holds out whole speakers,
by whom such a model is calibrated, a run on everything that there is, and the shipping
of the second with the calibration of the first. Whatever is done already is not done
again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audiomnist.corpora.clips import Clip
from audiomnist.corpora.library import available
from audiomnist.corpora.other_words import EMBEDDED, available_other_words
from audiomnist.errors import RunError
from audiomnist.features.cache import clip_features
from audiomnist.features.config import FeatureConfig
from audiomnist.networks.ann import AnnConfig
from audiomnist.networks.cnn import CnnConfig
from audiomnist.networks.config import NetworkConfig
from audiomnist.networks.team import TeamConfig
from audiomnist.recipes.publishing import publish
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.models import Model
from audiomnist.recognition.record import FINISHED
from audiomnist.runs.clips import RunClips, resolve_clips
from audiomnist.runs.config import RunConfig
from audiomnist.runs.execution import execute_run
from audiomnist.runs.folder import ENDED, Run, create_run, list_runs
from audiomnist.runs.presets import preset
from audiomnist.runs.queue import requeue_run
from audiomnist.runs.record import UnknownSpeakersTest
from audiomnist.training.config import AugmentationConfig
from audiomnist.training.history import EpochMetrics

_BALANCE, _SYNTHETIC_WEIGHT = 0.4, 0.4
_OTHERS_PART, _N_OTHERS = 0.6, 16
_BATCH_SIZE = 128
_N_STEPS = 2  # runs of a recipe


@dataclass(frozen=True)
class Recipe:
    """How one of the shipped models is made; None keeps the preset's own setting.

    Parameters
    ----------
    name
        What the model is called.
    network
        Its network and the network's settings.
    epochs
        Passes over the training clips.
    features, augmentation
        What the network sees, and how clips vary from epoch to epoch.
    taught_part
        How much of the target is a teacher's prediction, see `TrainConfig`.
    """

    name: str
    network: NetworkConfig
    epochs: int
    features: FeatureConfig | None = None
    augmentation: AugmentationConfig | None = None
    taught_part: float = 0.0

    def config(
        self, corpora: Sequence[str] = (), other_words: Sequence[str] = ()
    ) -> RunConfig:
        """The settings of its run, trained on everything but the test part.

        Parameters
        ----------
        corpora
            Names of the corpora; all that are here, if empty.
        other_words
            Sources of other words, see `load_other_words`; if empty, all that are here.
        """
        basis = preset(self.network.kind)
        return replace(
            basis,
            title=f"Recipe {self.name}",
            corpora=tuple(corpora or available()),
            others=tuple(other_words or available_other_words()),
            split_rule="official",
            features=self.features or basis.features,
            network=replace(self.network, n_others=_N_OTHERS),
            training=replace(
                basis.training,
                epochs=self.epochs,
                batch_size=_BATCH_SIZE,
                augmentation=self.augmentation or basis.training.augmentation,
                others_part=_OTHERS_PART,
                speaker_balance=_BALANCE,
                synthetic_weight=_SYNTHETIC_WEIGHT,
                taught_part=self.taught_part,
            ),
        )


RECIPES = {
    recipe.name: recipe
    for recipe in (
        # The preset learns fast from few clips; with so many and so different ones the
        # ANN takes finer features, which keep the tempo, fewer units, and all that
        # augmentation has.
        Recipe(
            name="ann",
            network=AnnConfig(hidden=(192, 128)),
            epochs=50,
            features=FeatureConfig(kind="mfcc", n_mfcc=20),
            augmentation=AugmentationConfig(),
        ),
        # It is distilled from a teacher, too: it has the teacher's features, and learns
        # from words cut off as the teacher does.
        Recipe(
            name="cnn",
            network=CnnConfig(),
            epochs=30,
            features=preset("pretrained").features,
            augmentation=preset("pretrained").training.augmentation,
            taught_part=0.7,
        ),
        Recipe(name="best", network=TeamConfig(), epochs=16),
    )
}
"""The recipes of the shipped models, by name."""


def find_recipe(name: str) -> Recipe:
    """Find a recipe by the name of its model.

    Raises
    ------
    RunError
        If there is none.
    """
    if name not in RECIPES:
        raise RunError(f"There is no recipe {name!r}; expected {', '.join(RECIPES)}.")
    return RECIPES[name]


def follow(
    name: str,
    corpora: Sequence[str] = (),
    other_words: Sequence[str] = (),
    *,
    on_step: Callable[[int, int, Run], None],
    on_epoch: Callable[[EpochMetrics], None],
) -> Path:
    """Make a model and ship it; what earlier calls finished is not done again.

    Parameters
    ----------
    name, corpora, other_words
        As in `find_recipe` and `Recipe.config`.
    on_step
        Called with the number of the step, their total and its run, as it begins.
    on_epoch
        Called after each epoch.

    Returns
    -------
    Path
        The shipped model's folder.

    Raises
    ------
    RunError
        If there is no such recipe, or a run of it fails.
    AudioMnistError
        What a step raises.
    """
    config = find_recipe(name).config(corpora, other_words)
    apart = replace(config, split_rule="speaker", title=f"Recipe {name}: calibration")
    done = []
    for step, wanted in enumerate((apart, config)):
        run = find_or_create(wanted)
        on_step(step + 1, _N_STEPS, run)
        if run.state != FINISHED:
            execute_run(run, on_epoch)
        done.append(run)
    return publish(done[1], name, measure_unknown_speakers(done[0]))


def find_or_create(config: RunConfig) -> Run:
    """The run of these settings: a finished one, one to go on with, or a new one.

    What a run is called makes no difference.

    Raises
    ------
    RunError
        If one of them is being trained at this moment.
    """
    for run in list_runs():
        if not _is_same(run.config, config):
            continue
        if run.state == FINISHED:
            return run
        if run.state not in ENDED:
            raise RunError(
                f"The run {run.id} of this recipe is {run.state} already. Wait for it, "
                "or cancel it."
            )
        requeue_run(run)
        return run
    return create_run(config)


def find_finished(config: RunConfig) -> Run | None:
    """The finished run of these settings, if there is one."""
    for run in list_runs():
        if run.state == FINISHED and _is_same(run.config, config):
            return run
    return None


def _is_same(one: RunConfig, other: RunConfig) -> bool:
    """Whether two runs are made of the same, whatever they are called."""
    return replace(one, title="") == replace(other, title="")


def measure_unknown_speakers(run: Run) -> UnknownSpeakersTest:
    """Test and calibrate a run's model on the speakers that it kept for its test.

    Every speaker counts the same for the temperature, whatever the number of clips.

    Raises
    ------
    ModelError
        If the run has no model.
    CorpusError
        If a corpus of the run is not here.
    """
    model, clips = Model.load(run.folder), resolve_clips(run.config)
    features = clip_features(clips.split.test, model.features)
    logits = model.logits(features.values)
    digits = features.digits
    speakers = np.array([clip.speaker for clip in features.clips])
    _, speaker, n_clips = np.unique(speakers, return_inverse=True, return_counts=True)
    calibration = Calibration.fit(
        logits,
        digits,
        rejects_unknown=model.calibration.rejects_unknown,
        weights=1 / n_clips[speaker],
    )
    words = _recorded_words(clips)
    said = model.logits(clip_features(words, model.features).values)
    confidence = calibration.probabilities(said).max(axis=1)  # (n_words,)
    return UnknownSpeakersTest(
        run=run.id,
        calibration=calibration,
        n_speakers=len(n_clips),
        n_clips=len(digits),
        n_correct=int((logits.argmax(axis=1) == digits).sum()),
        n_words=len(words),
        n_words_answered=int(calibration.should_answer(confidence).sum()),
    )


def _recorded_words(clips: RunClips) -> tuple[Clip, ...]:
    """Other words by the test speakers of a run."""
    synthetic = set(clips.words.get(EMBEDDED, ()))
    speakers = {clip.speaker for clip in clips.split.test}
    return tuple(
        clip
        for clip in clips.split_words["test"]
        if clip.speaker in speakers and clip not in synthetic
    )
