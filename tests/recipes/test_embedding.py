"""The speech embedding learns to ignore noise, and the shipped one does."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from audiomnist.corpora.library import load_corpus
from audiomnist.corpora.other_words import load_other_words
from audiomnist.errors import CorpusError
from audiomnist.features.cache import clip_spectra
from audiomnist.networks.speech_embedding import (
    N_LAYERS,
    embed,
    extract_layers,
    published_model,
    read_layers,
)
from audiomnist.recipes import embedding
from audiomnist.recipes.embedding import DISTURBED, _Pupil, denoise, words_to_learn
from audiomnist.runs.presets import preset
from audiomnist.training.augmentation import augment_pairs

FEATURES = preset("pretrained").features
IN_NOISE = replace(
    DISTURBED,
    noise_part=1.0,
    noise_low_db=5.0,
    noise_high_db=5.0,
    reverberation_part=0.0,
    equaliser_db=0.0,
    band_part=0.0,
)


@pytest.fixture(scope="module")
def published():
    return extract_layers(published_model())


@pytest.fixture
def words(home):
    """Some words of the embedded voices."""
    return clip_spectra(load_corpus("embedded").clips[::25], FEATURES).spectra


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    """Words in small batches: in those of a real training they fill 4 GB."""
    monkeypatch.setattr(embedding, "_BATCH_SIZE", 32)
    monkeypatch.setattr(embedding, "_N_MEASURED", 128)


def answers(layers, features):
    """The embeddings of features, (n_clips, n_values)."""
    import keras

    inputs = keras.Input(FEATURES.shape)
    network = keras.Model(inputs, embed(inputs, N_LAYERS, layers)[1])
    return network(features).numpy().reshape(len(features), -1)


def distance(one, other):
    """Mean squared difference in units of the second's variance."""
    return float(np.mean((one - other) ** 2) / np.var(other))


def test_a_pair_differs_by_what_disturbs_alone(words):
    some = words.take(np.arange(20))
    clean, disturbed = augment_pairs(some, FEATURES, IN_NOISE, np.random.default_rng(0))
    assert clean.shape == disturbed.shape == (20, *FEATURES.shape)
    assert (np.abs(clean - disturbed).max(axis=(1, 2)) > 1).all()
    undisturbed = replace(IN_NOISE, noise_part=0.0)
    clean, same = augment_pairs(some, FEATURES, undisturbed, np.random.default_rng(0))
    np.testing.assert_array_equal(clean, same)


@pytest.mark.slow
def test_every_epoch_brings_the_copy_nearer_to_the_embedding_without_noise(
    published, words, monkeypatch
):
    made: list[_Pupil] = []
    kernels: list[np.ndarray] = []
    epochs = []

    class Watched(_Pupil):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

    def look(done):
        epochs.append(done)
        kernels.append(made[0].layers[5].kernel)

    monkeypatch.setattr(embedding, "_Pupil", Watched)
    learning, kept = (words.take(np.arange(n, len(words), 2)) for n in (0, 1))
    learned = denoise(published, learning, FEATURES, epochs=4, on_epoch=look)
    assert [done.epoch for done in epochs] == [1, 2, 3, 4]
    assert epochs[-1].last < epochs[0].last
    for before, after in itertools.pairwise(kernels):
        assert np.abs(after - before).max() > 1e-6
    clean, noisy = augment_pairs(kept, FEATURES, IN_NOISE, np.random.default_rng(1))
    wanted = answers(published, clean)
    before, after = (answers(layers, noisy) for layers in (published, learned))
    assert distance(after, wanted) < 0.9 * distance(before, wanted)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(published, words):
    few = words.take(np.arange(24))
    first, again = (
        denoise(published, few, FEATURES, epochs=1, seed=3, on_epoch=lambda _: None)
        for _ in range(2)
    )
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.kernel, other.kernel)


def test_the_weights_that_come_with_the_app_have_learned_it(published, words):
    clean, noisy = augment_pairs(words, FEATURES, IN_NOISE, np.random.default_rng(2))
    wanted, ours = answers(published, clean), read_layers()
    before = distance(answers(published, noisy), wanted)
    assert distance(answers(ours, noisy), wanted) < 0.6 * before
    # And clean words are embedded nearly as before.
    assert distance(answers(ours, clean), wanted) < 0.2


def test_no_test_speaker_is_learned_from(monkeypatch, tiny_folder, tiny_corpus):
    asked = []

    def listen(clips, features):
        asked.extend(clips)
        return clip_spectra(clips, features)

    first, second, *others = load_other_words("embedded")[:6]
    known = tiny_corpus.speakers[0]
    words = [replace(first, speaker=known), replace(second, speaker=known), *others]
    monkeypatch.setattr(embedding, "available", lambda: (str(tiny_folder),))
    monkeypatch.setattr(embedding, "load_other_words", lambda name: tuple(words))
    monkeypatch.setattr(embedding, "clip_spectra", listen)
    assert len(words_to_learn(FEATURES)) == len(asked) == len(others)
    assert asked == others


def test_without_any_words_the_message_says_so(monkeypatch):
    monkeypatch.setattr(embedding, "available", tuple)
    monkeypatch.setattr(embedding, "load_other_words", lambda name: ())
    with pytest.raises(CorpusError, match="no words to learn from"):
        words_to_learn(FEATURES)
