"""What a network learns from, and how each epoch is drawn from it.

Owns the training clips of digits, the negatives (sounds that are not digits: other
words, noises and mangled digits), and their versions from epoch to epoch. The learning
itself is for `loop`.
"""

from dataclasses import dataclass

import numpy as np

from audiomnist.digits import N_DIGITS
from audiomnist.errors import ModelError
from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import join_spectra, with_context
from audiomnist.features.rendering import render
from audiomnist.features.spectra import Spectra
from audiomnist.training.augmentation import augment
from audiomnist.training.config import AugmentationConfig
from audiomnist.training.negatives import scramble

CLIPS_AT_ONCE = 16_384
"""Clips of which versions are made together, which bounds the memory: 1 GB or two."""

_MANGLED_PART = 0.25  # of the negatives


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Clips to learn from, and clips that tell when to stop.

    Parameters
    ----------
    train
        Spectra of the training clips, each with speech.
    train_digits
        What is said, whole numbers 0 to 9, shape (n_train_clips,).
    validation
        Features of the validation clips, float32,
        shape (n_validation_clips, n_bins, n_frames).
    validation_digits
        What is said, shape (n_validation_clips,).
    features
        What the spectra are turned into.
    weights
        How often each training clip is drawn, relative to the others, float64, above 0,
        shape (n_train_clips,); None draws each once in an epoch.
    negatives
        Spectra of other words and noises, each with speech or what is taken for it;
        mangled digits are added to them. None: there are no negatives.
    negative_weights
        How often each of them is drawn, relative to the others; as `weights`.
    validation_negatives
        Features of negatives to validate with.
    is_unknown
        Which validation clips are by speakers outside the training, bool,
        shape (n_validation_clips,); None: all.

    Raises
    ------
    ModelError
        If a part is empty or its sizes contradict each other.
    """

    train: Spectra
    train_digits: np.ndarray
    validation: np.ndarray
    validation_digits: np.ndarray
    features: FeatureConfig
    weights: np.ndarray | None = None
    negatives: Spectra | None = None
    negative_weights: np.ndarray | None = None
    validation_negatives: np.ndarray | None = None
    is_unknown: np.ndarray | None = None

    def __post_init__(self) -> None:
        _check_digits("training", len(self.train), self.train_digits)
        _check_digits("validation", len(self.validation), self.validation_digits)
        _check_weights(self.weights, len(self.train))
        _check_weights(self.negative_weights, len(self.negatives or ()))
        if self.validation.shape[1:] != self.features.shape:
            raise ModelError(
                f"The validation features are {self.validation.shape[1:]}; expected "
                f"{self.features.shape}."
            )

    def draw_epoch(
        self,
        n_negatives: int,
        augmentation: AugmentationConfig | None,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw as many training clips as there are, and negatives.

        Parameters
        ----------
        n_negatives
            How many negatives; some of them are mangled digits.
        augmentation
            How all of them are varied, or None.
        rng
            Source of all randomness.

        Returns
        -------
        tuple[np.ndarray, np.ndarray]
            Features, float32, (n_clips + n_negatives, n_bins, n_frames), and what is
            said, int64, of the same length; 10 stands for a negative.
        """
        chosen = self._choose(rng)
        n_clips = len(chosen)
        is_as_given = np.array_equal(chosen, np.arange(n_clips))  # and needs no copy
        features = np.empty((n_clips + n_negatives, *self.features.shape), np.float32)
        for part in _parts(n_clips):
            clips = self.train if is_as_given else self.train.take(chosen[part])
            features[part] = self._vary(clips, augmentation, rng)
        for part in _parts(n_negatives):
            drawn = self._draw_negatives(part.stop - part.start, rng)
            place = slice(n_clips + part.start, n_clips + part.stop)
            features[place] = self._vary(drawn, augmentation, rng)
        digits = self.train_digits[chosen].astype(np.int64)
        return features, np.append(digits, np.full(n_negatives, N_DIGITS))

    def _choose(self, rng: np.random.Generator) -> np.ndarray:
        """Numbers of the training clips in the order in which they are drawn."""
        n_clips = len(self.train)
        chosen = np.arange(n_clips)
        if self.weights is not None:
            chosen = _draw(self.weights, n_clips, rng)
        if n_clips > CLIPS_AT_ONCE:
            # The clips of a part are each other's babble: it has to have all digits.
            chosen = rng.permutation(chosen)
        return chosen

    def _draw_negatives(self, n_negatives: int, rng: np.random.Generator) -> Spectra:
        """Negatives: other words and noises as they are, and mangled digits."""
        assert self.negatives is not None
        n_mangled = round(_MANGLED_PART * n_negatives)
        weights = self.negative_weights
        if weights is None:
            weights = np.ones(len(self.negatives))
        chosen = _draw(weights, n_negatives - n_mangled, rng)
        mangled = scramble(self.train, self.train_digits, n_mangled, rng)
        # With as much around them as around the digits, or that would give them away.
        parts = [self.negatives.take(chosen), with_context(mangled, self.features)]
        return join_spectra(parts, self.features.spectrum)

    def _vary(
        self,
        clips: Spectra,
        augmentation: AugmentationConfig | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Features of clips, varied if that is wanted."""
        if augmentation is None:
            return render(clips, self.features)
        return augment(clips, self.features, augmentation, rng)


def _check_digits(part: str, n_clips: int, digits: np.ndarray) -> None:
    """Refuse a part of the clips that is empty or has not one digit for each."""
    if n_clips == 0 or len(digits) != n_clips:
        raise ModelError(
            f"The {part} part has {n_clips} clips with speech and {len(digits)} "
            "digits; expected as many digits as clips, and one at least. Choose "
            "another split or corpus."
        )
    if digits.min() < 0 or digits.max() >= N_DIGITS:
        raise ModelError(
            f"The {part} part has digits from {digits.min()} to {digits.max()}; "
            f"expected 0 to {N_DIGITS - 1}."
        )


def _check_weights(weights: np.ndarray | None, n_clips: int) -> None:
    """Refuse weights of which there is not one above 0 for each clip."""
    if weights is None:
        return
    if weights.shape != (n_clips,) or not weights.min() > 0:
        raise ModelError(
            f"There are {weights.size} weights for {n_clips} clips; expected one "
            "above 0 for each."
        )


def _parts(n_clips: int) -> list[slice]:
    """Parts of so many clips, of which each fits into memory."""
    return [
        slice(begin, min(begin + CLIPS_AT_ONCE, n_clips))
        for begin in range(0, n_clips, CLIPS_AT_ONCE)
    ]


def _draw(weights: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of n clips, each in proportion to its weight."""
    order = rng.permutation(len(weights))  # neighbours are rounded alike
    # Whole times first; one random offset decides who is rounded up.
    wanted = np.cumsum(weights[order]) * n / weights.sum() + rng.random()
    times = np.diff(np.floor(wanted), prepend=0).astype(np.int64)
    return np.sort(np.resize(np.repeat(order, times), n))
