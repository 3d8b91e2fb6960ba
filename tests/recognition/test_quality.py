import numpy as np
import pytest

from audiomnist.audio.signal import Audio
from audiomnist.features.speech import find_speech
from audiomnist.recognition.quality import CLIPPED_FRACTION, ClipQuality, judge

RATE = 16000


def assess(audio: Audio) -> ClipQuality:
    """The quality of a recording in which the speech is still to be found."""
    return judge(audio, find_speech(audio))


def _recording(word: Audio, gain=1.0, noise=1e-4, offset=0.0, pause=0.5) -> Audio:
    """A word with a pause on both sides, in white noise."""
    n_pause = round(pause * word.sample_rate)
    samples = np.pad(gain * word.samples, n_pause)
    samples = samples + np.random.default_rng(0).normal(0, noise, len(samples)) + offset
    return Audio(np.clip(samples, -1, 1).astype(np.float32), word.sample_rate)


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("sample_rate", [8000, 16000, 48000])
def test_a_good_recording_gets_no_advice(spoken, digit, sample_rate):
    quality = assess(_recording(spoken(digit, sample_rate=sample_rate)))
    assert quality.advice == ()
    assert quality.snr_db is not None


def test_the_level_is_that_of_the_speech(spoken):
    word = spoken(4, sample_rate=RATE)
    short, long = (assess(_recording(word, pause=pause)) for pause in (0.3, 3.0))
    assert long.level_dbfs == pytest.approx(short.level_dbfs, abs=1)
    softer = assess(_recording(word, gain=0.1, noise=1e-5))
    assert softer.level_dbfs == pytest.approx(short.level_dbfs - 20, abs=1)


def test_noise_and_ratio_are_measured(spoken):
    word = spoken(4, sample_rate=RATE)
    for noise in (1e-3, 1e-2):
        quality = assess(_recording(word, noise=noise))
        assert quality.noise_dbfs == pytest.approx(20 * np.log10(noise), abs=2)
        expected = quality.level_dbfs - quality.noise_dbfs
        assert quality.snr_db == pytest.approx(expected, abs=0.1)


def test_quiet_speech_is_told_to_come_closer(spoken):
    quality = assess(_recording(spoken(4, sample_rate=RATE), gain=0.01, noise=1e-5))
    assert "very quiet" in quality.advice[0]
    assert "closer" in quality.advice[0]


def test_clipping_is_counted_and_told(spoken):
    word = spoken(4, sample_rate=RATE)
    fractions = [
        assess(_recording(word, gain=gain)).clipped_fraction for gain in (1, 3, 10)
    ]
    assert fractions[0] == 0
    assert CLIPPED_FRACTION < fractions[1] < fractions[2]
    assert any("clipped" in text for text in assess(_recording(word, gain=10)).advice)


def test_clipping_under_full_scale_is_found_too(spoken):
    loud = _recording(spoken(4, sample_rate=RATE), gain=5)
    quality = assess(Audio(0.4 * loud.samples, RATE))
    assert quality.clipped_fraction > CLIPPED_FRACTION


@pytest.mark.parametrize("hz", [50, 440, 3000])
def test_a_loud_tone_is_not_clipped(hz):
    time = np.arange(48000) / 48000
    tone = Audio(np.sin(2 * np.pi * hz * time).astype(np.float32), 48000)
    assert assess(tone).clipped_fraction == 0


def test_noisy_speech_is_told(spoken):
    quality = assess(_recording(spoken(4, sample_rate=RATE), gain=0.5, noise=0.04))
    assert quality.snr_db is not None
    assert quality.snr_db < 12
    assert any("above the noise" in text for text in quality.advice)


def test_a_word_that_is_cut_off_is_told(spoken):
    whole = _recording(spoken(4, sample_rate=RATE))
    begin = round(0.7 * RATE)
    quality = assess(Audio(whole.samples[begin:], RATE))
    assert any("beginning or the end" in text for text in quality.advice)


@pytest.mark.parametrize("noise", [0.01, 0.05, 0.1])
def test_noise_at_the_edges_is_no_word_that_is_cut_off(spoken, noise):
    audio = _recording(spoken(7, sample_rate=RATE), noise=noise)
    quality, speech = assess(audio), find_speech(audio)
    assert 0.3 < speech.start < speech.end < audio.duration - 0.3
    assert not any("beginning or the end" in text for text in quality.advice)


def test_an_offset_is_measured_and_changes_nothing_else(spoken):
    word = spoken(4, sample_rate=RATE)
    plain, shifted = (assess(_recording(word, 0.5, offset=x)) for x in (0.0, 0.1))
    assert shifted.dc_offset - plain.dc_offset == pytest.approx(0.1, abs=1e-3)
    assert shifted.level_dbfs == pytest.approx(plain.level_dbfs, abs=0.5)
    assert shifted.noise_dbfs == pytest.approx(plain.noise_dbfs, abs=0.5)
    assert any("have an offset of" in text for text in shifted.advice)


@pytest.mark.parametrize("n_samples", [0, 1, 100, RATE])
def test_silence_of_any_length(n_samples):
    quality = assess(Audio(np.zeros(n_samples, np.float32), RATE))
    assert quality.snr_db is None
    assert quality.level_dbfs == -120
    assert "completely silent" in quality.advice[0]


def test_noise_alone_is_nobody_speaking():
    noise = np.random.default_rng(0).normal(0, 0.01, RATE).astype(np.float32)
    quality = assess(Audio(noise, RATE))
    assert quality.snr_db is None
    assert "Nobody seems to speak" in quality.advice[0]
    loud = assess(Audio(20 * noise, RATE))
    assert loud.snr_db is None
    assert "noise, which is loud (-14 dBFS, where 0" in loud.advice[0]


def test_a_second_word_is_told_and_a_click_is_not(spoken):
    first, second = (spoken(digit, sample_rate=RATE) for digit in (4, 2))
    pause = np.zeros(RATE // 2, np.float32)
    both = np.concatenate([first.samples, pause, second.samples])
    two = assess(_recording(Audio(both, RATE)))
    assert any("one digit at a time" in text for text in two.advice)
    clicked = both[: len(first.samples) + len(pause)].copy()
    clicked[-400:-240] = 0.9  # 10 ms
    one = assess(_recording(Audio(clicked, RATE)))
    assert not any("one digit at a time" in text for text in one.advice)


@pytest.mark.parametrize("around", [0.0, 1.2])
def test_a_steady_tone_is_told_and_a_voice_is_none(spoken, around):
    time = np.arange(RATE) / RATE
    tone = Audio(0.3 * np.sin(2 * np.pi * 440 * time).astype(np.float32), RATE)
    (advice,) = assess(_recording(tone, pause=around)).advice
    assert "one steady tone of 440 Hz" in advice
    for digit in range(10):
        word = _recording(spoken(digit, sample_rate=RATE), pause=around)
        assert not any("steady tone" in text for text in assess(word).advice)


def test_what_is_too_long_for_a_digit_is_told(spoken):
    words = [spoken(digit, sample_rate=RATE).samples for digit in (1, 9, 7, 3, 8)]
    all_at_once = assess(_recording(Audio(np.concatenate(words), RATE)))
    assert any("longer than any digit" in text for text in all_at_once.advice)
    one = assess(_recording(Audio(words[0], RATE)))
    assert not any("longer than any digit" in text for text in one.advice)
