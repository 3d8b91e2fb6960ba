"""Finding the word: through silence, noise, clicks and level; and not in noise."""

import numpy as np
import pytest

from audiomnist.audio.signal import Audio
from audiomnist.errors import ConfigError
from audiomnist.features.spectra import SpectrumConfig, power_spectra
from audiomnist.features.speech import (
    N_STRETCHES,
    Speech,
    SpeechConfig,
    find_speech,
    speech_in,
    speech_spans,
    stretches,
)


def with_silence(
    audio: Audio, before: float, after: float, hiss: float = 1e-4
) -> Audio:
    rng = np.random.default_rng(1)
    rate = audio.sample_rate
    sound = np.pad(audio.samples, (round(before * rate), round(after * rate)))
    return Audio((sound + rng.normal(0, hiss, len(sound))).astype(np.float32), rate)


def found(audio: Audio, config: SpeechConfig | None = None) -> Speech:
    speech = find_speech(audio, config)
    assert speech is not None
    return speech


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize(("before", "after"), [(0.3, 0.3), (2, 0.1), (0.1, 3)])
def test_the_word_is_found_wherever_it_stands(
    spoken, digit: int, before: float, after: float
) -> None:
    speech = found(with_silence(spoken(digit), before, after))
    assert speech.start == pytest.approx(before, abs=0.08)
    assert speech.end == pytest.approx(before + 0.4, abs=0.1)


@pytest.mark.parametrize("pause", [0.06, 0.1, 0.2])
@pytest.mark.parametrize("digit", [0, 3, 5, 8])
def test_a_short_digital_silence_is_no_part_of_the_word(
    spoken, digit: int, pause: float
) -> None:
    speech = found(with_silence(spoken(digit), pause, pause, hiss=0))
    assert speech.start == pytest.approx(pause, abs=0.06)
    assert speech.end == pytest.approx(pause + 0.4, abs=0.06)


@pytest.mark.parametrize("level_db", [0, -20, -40])
def test_level_does_not_matter(spoken, level_db: float) -> None:
    loud = with_silence(spoken(4), 0.5, 0.5)
    quiet = Audio(loud.samples * np.float32(10 ** (level_db / 20)), 8000)
    assert found(quiet).start == pytest.approx(found(loud).start, abs=0.016)
    assert found(quiet).end == pytest.approx(found(loud).end, abs=0.016)


def test_a_loud_key_click_before_the_word_does_not_win(spoken) -> None:
    sound = with_silence(spoken(4), 0.8, 0.5)
    sound.samples[1600:1640] = 0.99 * (-1.0) ** np.arange(40)
    assert found(sound).start == pytest.approx(0.8, abs=0.08)


def test_a_short_pause_inside_a_word_does_not_end_it(spoken) -> None:
    word = spoken(4).samples
    pause = np.zeros(800, np.float32)
    both = with_silence(Audio(np.concatenate([word, pause, word]), 8000), 0.4, 0.4)
    assert found(both).end - found(both).start == pytest.approx(0.9, abs=0.12)
    impatient = SpeechConfig(max_gap=0.03)
    assert found(both, impatient).end - found(both, impatient).start < 0.6


@pytest.mark.parametrize("sample_rate", [16_000, 44_100, 48_000])
def test_the_rate_does_not_matter(spoken, sample_rate: int) -> None:
    speech = found(with_silence(spoken(5, sample_rate=sample_rate), 0.5, 0.5))
    assert speech.start == pytest.approx(0.5, abs=0.08)


def test_the_word_is_found_in_white_noise_of_equal_power(spoken) -> None:
    word = spoken(4)
    hiss = float(np.sqrt(np.mean(word.samples**2)))
    speech = found(with_silence(word, 0.6, 0.6, hiss))
    middle = (speech.start + speech.end) / 2
    assert middle == pytest.approx(0.8, abs=0.15)


def test_the_end_of_a_word_is_kept_in_noise_and_no_more_than_that_without(
    spoken,
) -> None:
    word = spoken(4)
    loud = float(np.sqrt(np.mean(word.samples**2)))
    later = []
    for hiss in (1e-4, loud):
        sound = with_silence(word, 0.6, 0.6, hiss)
        short, long = (found(sound, SpeechConfig(hidden_end=s)) for s in (0, 0.12))
        assert short.start == long.start
        later.append(long.end - short.end)
    assert later[0] == 0
    assert later[1] == pytest.approx(0.12, abs=0.05)
    cut = Audio(with_silence(word, 0.6, 0, loud).samples, 8000)
    assert found(cut, SpeechConfig(margin=0)).end <= cut.duration


@pytest.mark.parametrize("level", [0, 1e-6, 1e-4, 1e-2, 0.3])
@pytest.mark.parametrize("duration", [0.3, 0.5, 1.0, 3.0])
def test_steady_noise_and_silence_hold_no_speech(level: float, duration: float) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        sound = rng.normal(0, level, round(8000 * duration)).astype(np.float32)
        assert find_speech(Audio(sound, 8000)) is None


def test_a_word_below_the_least_level_is_silence(spoken) -> None:
    faint = Audio(with_silence(spoken(4), 0.3, 0.3, 0).samples * np.float32(1e-5), 8000)
    assert find_speech(faint) is None


def test_an_empty_recording_holds_no_speech() -> None:
    assert find_speech(Audio(np.zeros(0, np.float32), 8000)) is None


def test_margin_widens_what_is_found(spoken) -> None:
    sound = with_silence(spoken(4), 0.5, 0.5)
    narrow, wide = (found(sound, SpeechConfig(margin=m)) for m in (0, 0.06))
    assert narrow.start - wide.start == pytest.approx(0.06, abs=0.001)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_bands": 0}, "cannot find speech"),
        ({"fmin": 500, "fmax": 400}, "cannot find speech"),
        ({"quiet_part": 1.0}, "parts of a whole"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SpeechConfig(**settings)


def spans_of(audio: Audio) -> list[tuple[float, float]]:
    """Beginning and end of each stretch in seconds."""
    spectrum = SpectrumConfig()
    power, bounds = power_spectra([audio], spectrum)
    places = stretches(power, bounds, SpeechConfig(), spectrum)
    assert places.shape == (N_STRETCHES, 1, 2)
    (first,) = speech_spans(power, bounds, SpeechConfig(), spectrum)
    assert (places[0, 0] == first).all()
    spans = (speech_in(audio, span, spectrum) for span in places[:, 0])
    return [(span.start, span.end) for span in spans if span]


def test_stretches_apart_come_by_their_area(spoken) -> None:
    loud, soft = spoken(4).samples, 0.1 * spoken(4).samples
    pause = np.zeros(2400, np.float32)
    sound = Audio(np.concatenate([pause, soft, pause, loud, pause]), 8000)
    (first, _), (second, _) = spans_of(with_silence(sound, 0, 0))
    assert first == pytest.approx(1.0, abs=0.08)
    assert second == pytest.approx(0.3, abs=0.08)


def test_a_stretch_too_long_for_a_digit_is_parted_at_its_pauses(spoken) -> None:
    word = spoken(4).samples
    sound = np.concatenate([word, np.zeros(800, np.float32), 0.5 * word])
    whole, *parts = spans_of(with_silence(Audio(sound, 8000), 0.5, 0.5))
    assert whole == pytest.approx((0.5, 1.4), abs=0.08)
    starts = [start for start, _ in parts]
    assert starts == pytest.approx([0.5, 1.0], abs=0.08)


def test_silence_has_no_stretches() -> None:
    assert spans_of(Audio(np.zeros(8000, np.float32), 8000)) == []
