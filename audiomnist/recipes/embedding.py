"""Adapt the speech embedding to noise, by distillation from the published one.

Owns the adaptation of the published weights, which is done once and comes with the app.
Nobody says what is spoken: a copy of the embedding is given words in noise, in rooms
and through bad microphones, and learns to answer as the published one answers to the
same words undisturbed [1]_. So it may also learn from other words, and it cannot learn
the voices of those who say them by heart. Keras is imported only inside functions.

References
----------
.. [1] The layers of a network with clean input are the targets of one with noisy
   input: J. Li et al., "Large-scale domain adaptation via teacher-student
   learning", Interspeech 2017.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from audiomnist.corpora.library import available, load_corpus
from audiomnist.corpora.other_words import available_other_words, load_other_words
from audiomnist.errors import CorpusError
from audiomnist.features.cache import clip_spectra
from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import join_spectra
from audiomnist.features.spectra import Spectra
from audiomnist.networks.backend import tensorflow_ready
from audiomnist.networks.speech_embedding import LAYER_NAME, N_LAYERS, Layer, embed
from audiomnist.training.augmentation import augment_pairs
from audiomnist.training.config import AugmentationConfig

if TYPE_CHECKING:
    import keras

EPOCHS = 10
"""Passes over the words, each with other disturbances."""

DISTURBED = AugmentationConfig(
    slowest=0.8,
    fastest=1.25,
    noise_part=0.8,
    noise_low_db=-8.0,
    noise_high_db=25.0,
    equaliser_db=3.0,
)
"""Disturbances of the copy's input; tempo, voice and place vary for both networks."""

_BATCH_SIZE = 128
_LEARNING_RATE, _WARM_UP = 5e-4, 0.05
_N_PARTS = 8  # of the clips, whose features are in memory together
_N_MEASURED = 512  # clips that tell how far the values of a unit spread
_SMALLEST_SPREAD = 1e-3


@dataclass(frozen=True)
class DenoisingEpoch:
    """How far the copy was from the published embedding during an epoch.

    Parameters
    ----------
    epoch
        Its number, from 1 on.
    before_last, last
        Mean squared difference of what the last layer sees, and of what it gives, in
        units of the variance of each unit.
    seconds
        What it took.
    """

    epoch: int
    before_last: float
    last: float
    seconds: float


def words_to_learn(features: FeatureConfig) -> Spectra:
    """Spectra of all words that are here by nobody who is a speaker of real digits.

    So the embedding does not know a recorded speaker of a test part, either. Synthetic
    voices and other words of a test part are not: it has learned from them, without
    labels.

    Raises
    ------
    CorpusError
        If there are none, or a recording has gone.
    AudioError
        If a recording cannot be decoded.
    """
    corpora = [load_corpus(name) for name in available()]
    digits = [c for corpus in corpora if corpus.is_synthetic for c in corpus.clips]
    known = {
        speaker
        for corpus in corpora
        if not corpus.is_synthetic
        for speaker in corpus.speakers
    }
    other_words = [
        clip
        for name in available_other_words()
        for clip in load_other_words(name)
        if clip.speaker not in known
    ]
    parts = [
        clip_spectra(clips, features).spectra
        for clips in (digits, other_words)
        if clips
    ]
    if not parts:
        raise CorpusError(
            "There are no words to learn from: neither the embedded corpus nor other "
            "words are here. Install Audio MNIST again."
        )
    return join_spectra(parts, features.spectrum)


def denoise(
    published: tuple[Layer, ...],
    words: Spectra,
    features: FeatureConfig,
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    on_epoch: Callable[[DenoisingEpoch], None],
) -> tuple[Layer, ...]:
    """Train a copy of an embedding to ignore noise.

    Parameters
    ----------
    published
        The weights to begin with, which are also those of the teacher.
    words
        Spectra of spoken words with context, one at least.
    features
        The embedding's input.
    epochs
        Passes over the words.
    seed
        Of the order of the words and of all disturbances.
    on_epoch
        Called after each epoch.

    Returns
    -------
    tuple[Layer, ...]
        The weights of the copy.
    """
    pupil = _Pupil(published, words, features, epochs, seed)
    for epoch in range(1, epochs + 1):
        begin = time.perf_counter()
        before_last, last = pupil.learn_epoch(np.random.default_rng((seed, epoch)))
        seconds = time.perf_counter() - begin
        on_epoch(DenoisingEpoch(epoch, before_last, last, seconds))
    return pupil.layers


class _Pupil:
    """A copy of an embedding, what it learns from, and its teacher."""

    def __init__(
        self,
        published: tuple[Layer, ...],
        words: Spectra,
        features: FeatureConfig,
        epochs: int,
        seed: int,
    ) -> None:
        tensorflow = tensorflow_ready()
        import keras

        self.words, self.features = words, features
        self.batch_size = min(_BATCH_SIZE, len(words))
        self.teacher = _network(published, features, n_frozen=N_LAYERS)
        self.copy = _network(published, features, n_frozen=0)
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.integers(len(words), size=_N_MEASURED))
        disturbed, _ = augment_pairs(words.take(chosen), features, DISTURBED, rng)
        self.spreads = [
            values.numpy().reshape(-1, values.shape[-1]).std(axis=0) + _SMALLEST_SPREAD
            for values in self.teacher(disturbed)
        ]
        self.n_parts = max(1, min(_N_PARTS, len(words) // self.batch_size))
        parts = np.array_split(np.arange(len(words)), self.n_parts)
        n_steps = epochs * sum(len(part) // self.batch_size for part in parts)
        n_rising = round(_WARM_UP * n_steps)
        self.optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=0.0,
                warmup_target=_LEARNING_RATE,
                warmup_steps=n_rising,
                decay_steps=n_steps - n_rising,
            )
        )
        self.optimizer.build(self.copy.trainable_variables)
        self.step = tensorflow.function(self._step)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The weights of the copy as they are now."""
        named = (self.copy.get_layer(f"{LAYER_NAME}{k}") for k in range(N_LAYERS))
        return tuple(Layer(*layer.get_weights()) for layer in named)

    def learn_epoch(self, rng: np.random.Generator) -> np.ndarray:
        """Train on all words once, in full batches; returns mean distances, (2,)."""
        distances = []
        order = rng.permutation(len(self.words))
        for part in np.array_split(order, self.n_parts):
            some = self.words.take(np.sort(part))
            clean, disturbed = augment_pairs(some, self.features, DISTURBED, rng)
            shuffled = rng.permutation(len(some))
            for first in range(0, len(some) - self.batch_size + 1, self.batch_size):
                chosen = shuffled[first : first + self.batch_size]
                step = self.step(clean[chosen], disturbed[chosen])
                distances.append([float(distance) for distance in step])
        return np.mean(distances, axis=0)

    def _step(self, clean: Any, disturbed: Any) -> list[Any]:
        """Learn from one batch; returns the distance of each output."""
        import tensorflow

        weights = self.copy.trainable_variables
        wanted = self.teacher(clean, training=False)
        with tensorflow.GradientTape() as tape:
            answers = self.copy(disturbed, training=True)
            distances = [
                tensorflow.reduce_mean(((answer - target) / spread) ** 2)
                for answer, target, spread in zip(
                    answers, wanted, self.spreads, strict=True
                )
            ]
            loss = tensorflow.add_n(distances)
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return distances


def _network(
    weights: tuple[Layer, ...], features: FeatureConfig, *, n_frozen: int
) -> "keras.Model":
    """The embedding as a network: what its last layer sees, and what that gives."""
    import keras

    inputs = keras.Input(features.shape, name="features")
    return keras.Model(inputs, list(embed(inputs, n_frozen, weights)))
