"""Conditions: each does what its name says, and nothing to what it is given."""

from functools import partial

import numpy as np
import pytest

from audiomnist.audio.noise import MAINS_HZ, fan, pink, white
from audiomnist.audio.signal import Audio
from audiomnist.errors import AudioError
from audiomnist.evaluation.conditions import (
    CLEAN,
    CLICK_BEFORE,
    CONDITIONS,
    PAUSE,
    Condition,
    Recording,
    through_stereo,
    with_click,
)
from audiomnist.features.speech import Speech, find_speech

BY_NAME = {condition.name: condition for condition in CONDITIONS}
EACH = pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
IS_RANDOM = ("noise", "babble", "room", "click", "hum", "fan")
SNRS = {
    f"{name}, {snr} dB": snr
    for name in ("white noise", "pink noise", "babble", "fan")
    for snr in (20, 10, 5, 0)
}

# Strong noise hides the ends of a word, and in babble everybody speaks.
FINDABLE = [
    condition
    for condition in CONDITIONS
    if condition.group != "noise"
    or (condition.name.endswith(" 20 dB") and "babble" not in condition.name)
]


@pytest.fixture
def recording(spoken) -> Recording:
    """A soft word, which no noise brings to full scale, and four other voices."""
    word = spoken(4)
    soft = Audio(word.samples * np.float32(0.1), 8000)
    others = tuple(spoken(digit, 1) for digit in (1, 5, 7, 8))
    return Recording(soft, Speech(0.05, 0.35), others)


def apply(condition: Condition, recording: Recording, seed: int = 0) -> Audio:
    return condition.apply(recording, np.random.default_rng(seed))


def power(samples: np.ndarray) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def padded(recording: Recording, pause: float) -> np.ndarray:
    return np.pad(recording.audio.samples, round(pause * 8000))


# What holds for each of them


def test_names_are_distinct_and_the_first_condition_changes_nothing(recording):
    assert len(BY_NAME) == len(CONDITIONS)
    assert CONDITIONS[0] is CLEAN
    assert apply(CLEAN, recording) is recording.audio or np.array_equal(
        apply(CLEAN, recording).samples, recording.audio.samples
    )


@EACH
def test_the_same_seed_gives_the_same_recording(condition, recording):
    first, again, other = (apply(condition, recording, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.samples, again.samples)
    is_random = any(word in condition.name for word in IS_RANDOM)
    assert np.array_equal(first.samples, other.samples) != is_random


@EACH
def test_what_is_given_stays_as_it_was(condition, recording):
    before = recording.audio.samples.copy()
    result = apply(condition, recording)
    result.samples.sum()
    assert np.array_equal(recording.audio.samples, before)


@EACH
def test_the_whole_recording_is_kept_within_full_scale(condition, recording):
    played = apply(condition, recording)
    assert played.samples.dtype == np.float32
    assert np.abs(played.samples).max() <= 1
    expected = recording.audio.duration + 2 * condition.pause
    assert played.duration == pytest.approx(expected, abs=0.001)


@EACH
def test_a_full_scale_word_stays_within_full_scale(condition, spoken):
    word = spoken(9)
    loud = Audio(word.samples / np.abs(word.samples).max(), 8000)
    others = tuple(spoken(digit, 1) for digit in (1, 5, 7, 8))
    played = apply(condition, Recording(loud, Speech(0.0, 0.4), others))
    assert np.abs(played.samples).max() <= 1


@pytest.mark.parametrize("condition", FINDABLE, ids=lambda c: c.name)
def test_the_word_stays_in_its_place(condition, recording):
    speech = find_speech(apply(condition, recording))
    assert speech is not None
    assert speech.start == pytest.approx(condition.pause, abs=0.12)
    assert speech.end == pytest.approx(condition.pause + 0.4, abs=0.12)


# Noise


@pytest.mark.parametrize("name", SNRS)
def test_noise_is_as_far_under_the_word_as_is_said(name, recording):
    played = apply(BY_NAME[name], recording)
    noise = played.samples - padded(recording, PAUSE)
    word = recording.audio.samples[400:2800]  # 0.05 to 0.35 s
    snr_db = 10 * np.log10(power(word) / power(noise))
    assert snr_db == pytest.approx(SNRS[name], abs=0.1)
    n_pause = round(PAUSE * 8000)
    for part in (noise[:n_pause], noise[n_pause:-n_pause], noise[-n_pause:]):
        assert 10 * np.log10(power(part) / power(noise)) == pytest.approx(0, abs=3)


def test_the_ratio_holds_where_the_sum_is_made_softer(spoken):
    word = spoken(4)
    loud = Recording(
        Audio(word.samples / np.abs(word.samples).max(), 8000), Speech(0.0, 0.4)
    )
    played = apply(BY_NAME["white noise, 0 dB"], loud).samples.astype(np.float64)
    clean = padded(loud, PAUSE).astype(np.float64)
    gain = (played @ clean) / (clean @ clean)
    assert gain < 0.9
    snr_db = 10 * np.log10(
        power(gain * loud.audio.samples) / power(played - gain * clean)
    )
    assert snr_db == pytest.approx(0, abs=0.3)


def test_noise_of_each_colour_is_what_it_is_called(recording):
    made = {"white": white, "pink": pink, "fan": fan}
    for name, make in made.items():
        whole = next(c for c in BY_NAME if c.startswith(name) and c.endswith(" 10 dB"))
        noise = apply(BY_NAME[whole], recording).samples - padded(recording, PAUSE)
        expected = make(len(noise), 8000, np.random.default_rng(0))
        assert np.corrcoef(noise, expected)[0, 1] > 0.999


def test_babble_needs_talkers(recording):
    alone = Recording(recording.audio, recording.word)
    with pytest.raises(AudioError, match="other speakers"):
        apply(BY_NAME["babble, 10 dB"], alone)


# Level and pauses


@pytest.mark.parametrize("db", [0, -10, -20, -30, -40])
def test_the_peak_has_its_level_in_steps_of_16_bit(db, recording):
    played = apply(BY_NAME[f"peak at {db} dBFS"], recording).samples
    steps = played * 32768
    assert np.array_equal(steps, np.rint(steps))
    expected = round(32768 * 10 ** (db / 20))
    assert np.abs(steps).max() in (expected, expected - 1)


@pytest.mark.parametrize(("db", "part"), [(6, 0.02), (12, 0.08)])
def test_clipping_flattens_peaks(db, part, recording):
    played = apply(BY_NAME[f"clipped by {db} dB"], recording).samples
    gain = 10 ** (db / 20) / np.abs(recording.audio.samples).max()
    loud = gain * recording.audio.samples
    is_clipped = np.abs(played) > 32766 / 32768
    assert is_clipped.mean() > part
    assert np.array_equal(is_clipped, np.abs(loud) > 32766 / 32768)
    assert played[~is_clipped] == pytest.approx(loud[~is_clipped], abs=2**-15)


@pytest.mark.parametrize("pause", [0.5, 1, 2, 3])
def test_silence_is_digital(pause, recording):
    played = apply(BY_NAME[f"{pause} s of silence around"], recording).samples
    assert np.array_equal(played, padded(recording, pause))


@pytest.mark.parametrize("pause", [0.5, 1, 2, 3])
def test_a_quiet_room_is_40_db_under_the_word(pause, recording):
    name = f"{pause} s of a quiet room around (40 dB)"
    noise = apply(BY_NAME[name], recording).samples - padded(recording, pause)
    word = recording.audio.samples[400:2800]
    assert 10 * np.log10(power(word) / power(noise)) == pytest.approx(40, abs=0.3)


@pytest.mark.parametrize("pause", [0.5, 1, 2, 3])
def test_background_has_its_level(pause, recording):
    name = f"{pause} s around, pink noise at -60 dBFS"
    noise = apply(BY_NAME[name], recording).samples - padded(recording, pause)
    assert 10 * np.log10(power(noise)) == pytest.approx(-60, abs=0.3)


# Rates, files and faults


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000])
def test_a_rate_is_the_one_that_is_said(rate, recording):
    played = apply(BY_NAME[f"sampled at {rate / 1000:g} kHz"], recording)
    assert played.sample_rate == rate


@pytest.mark.parametrize(
    ("name", "gain"), [("stereo, both the same", 1.0), ("stereo, one silent", 0.5)]
)
def test_stereo_is_mixed(name, gain, recording):
    played = apply(BY_NAME[name], recording).samples
    assert played == pytest.approx(gain * recording.audio.samples, abs=2**-15)


def test_noise_in_the_other_channel_is_30_db_under_the_word(recording):
    played = apply(BY_NAME["stereo, noise in one (-30 dB)"], recording).samples
    noise = 2 * played - recording.audio.samples
    word = recording.audio.samples[400:2800]
    assert 10 * np.log10(power(word) / power(noise)) == pytest.approx(30, abs=0.5)


def test_a_second_channel_that_nobody_knows_is_refused(recording):
    change = partial(through_stereo, second="music")
    with pytest.raises(AudioError, match="'music'; expected same"):
        apply(Condition("stereo, music", "file", change), recording)


@pytest.mark.parametrize(
    ("name", "db"), [("key click as loud as the word", 0), ("key click, +10 dB", 10)]
)
def test_a_click_comes_before_the_word_and_is_short(name, db, recording):
    click = apply(BY_NAME[name], recording).samples - padded(recording, PAUSE)
    peak = np.abs(recording.audio.samples[400:2800]).max()
    expected = peak * 10 ** (db / 20)
    assert np.abs(click).max() == pytest.approx(expected, rel=0.1)
    loud = np.flatnonzero(np.abs(click) > 0.1 * expected) / 8000
    at = PAUSE + 0.05 - CLICK_BEFORE
    assert loud.min() >= at - 1e-3
    assert loud.max() <= at + 0.006


def test_a_click_falls_on_the_beginning_where_there_is_no_room(recording):
    played = with_click(recording, np.random.default_rng(0), 0.0)
    assert len(played.samples) == len(recording.audio.samples)


def test_an_offset_moves_all_samples(recording):
    played = apply(BY_NAME["offset of 0.1"], recording).samples
    assert played - padded(recording, PAUSE) == pytest.approx(0.1, abs=1e-6)


def test_hum_of_the_mains_is_10_db_under_the_word(recording):
    name = "mains hum, 10 dB"
    hum = apply(BY_NAME[name], recording).samples - padded(recording, PAUSE)
    word = recording.audio.samples[400:2800]
    assert 10 * np.log10(power(word) / power(hum)) == pytest.approx(10, abs=0.1)
    loudest = np.abs(np.fft.rfft(hum)).argmax() * 8000 / len(hum)
    assert min(abs(loudest - mains) for mains in MAINS_HZ) < 1


# The clean recording


@pytest.mark.parametrize("word", [Speech(0.0, 0.2), Speech(1.0, 2.0), Speech(0.3, 0.3)])
def test_a_word_in_which_nothing_sounds_is_refused(word, spoken):
    samples = np.concatenate([np.zeros(1600, np.float32), spoken(4).samples])
    with pytest.raises(AudioError, match="Give the part in which somebody speaks"):
        Recording(Audio(samples, 8000), word)
