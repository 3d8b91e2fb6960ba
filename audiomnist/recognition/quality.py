"""What is good or bad about a recording, in numbers and in advice.

Owns the judgement of a recording: level, clipping, noise, length. Where the speech in
it is, `features.speech` says; `recognizer` keeps the judgement beside its prediction.
"""

from dataclasses import dataclass, replace

import numpy as np

from audiomnist.audio.signal import SILENCE_DBFS, Audio, level_dbfs
from audiomnist.features.speech import Speech

QUIET_DBFS = -45.0
"""Speech below this level, in dBFS, drowns in the noise of ordinary microphones."""

NOISY_SNR_DB = 12.0
"""Below this ratio of speech to noise, in dB, digits are easily mistaken."""

CLIPPED_FRACTION = 0.002
"""Part of the samples in flattened peaks from which clipping is worth a word."""

DC_OFFSET = 0.03
"""Mean of the samples from which something is wrong with the sound input."""

# Frames of 20 ms, over which the level of speech and noise hardly changes.
_FRAME_DURATION = 0.02
# Three equal samples at the very top are flattened, two happen in any smooth wave; a
# hum of 50 Hz stays within one step of its top for 50 microseconds.
_MIN_FLAT_RUN, _MIN_FLAT_DURATION = 3, 80e-6
# A step of 16-bit sound, the finest that most recordings have.
_STEP = 1 / 32768
# In a quiet recording, equal samples at the top are coarse steps and not clipping.
_MIN_CLIPPED_PEAK = 0.1
# The noise is the level that the quietest tenth of the frames stays under.
_NOISE_PART = 0.1
# Frames of pause, without which speech has no noise to be compared with.
_MIN_PAUSE_FRAMES = 5
# A word that is cut off begins or ends within this of its loudest frame, in dB.
_CUT_BELOW_PEAK_DB = 9.0
# A second word is at most so much softer than the first, in dB, for so many frames; a
# click is shorter, and the soft ends of a word are softer. Of 515 recordings by
# volunteers 4 have one.
_SECOND_BELOW_DB, _MIN_SECOND_FRAMES = 10.0, 6
# Digits are shorter than the first, and never as long as the second: the longest of
# 515 by volunteers took 0.8 s.
_COMMON_DURATION, _LONG_DURATION = 0.9, 1.2
# Where nobody speaks and it is louder than this, it is loud there.
_LOUD_DBFS = -35.0
# A tone that is steady stays within so many Hz of its frequency with so much of the
# power of up to a second; a voice wavers more, and has overtones.
_TONE_WIDTH, _TONE_PART, _MIN_TONE_DURATION = 5.0, 0.7, 0.3


@dataclass(frozen=True)
class ClipQuality:
    """How well a recording was made.

    Parameters
    ----------
    level_dbfs
        Level of the speech, or of the whole recording where nobody speaks.
    peak
        Largest absolute sample, in [0, 1].
    clipped_fraction
        Part of the samples that lies in flattened peaks, in [0, 1].
    noise_dbfs
        Level that the quietest tenth of the recording stays under.
    snr_db
        Speech over noise in dB; None where nobody speaks or nobody pauses.
    dc_offset
        Mean of the samples.
    advice
        What to do better, a sentence or two each, the most important first; empty
        when all is well.
    """

    level_dbfs: float
    peak: float
    clipped_fraction: float
    noise_dbfs: float
    snr_db: float | None
    dc_offset: float
    advice: tuple[str, ...]


def judge(audio: Audio, speech: Speech | None) -> ClipQuality:
    """Judge a recording of any length, also an empty one.

    Parameters
    ----------
    audio
        The recording.
    speech
        Where somebody speaks in it; None where nobody does.
    """
    samples = audio.samples
    dc_offset = top = bottom = 0.0
    if len(samples):
        dc_offset, top = float(samples.mean()), float(samples.max())
        bottom = float(samples.min())
    centred = samples - np.float32(dc_offset)
    levels, times = _frame_levels(centred, audio.sample_rate)
    noise = _quietest(levels)
    level, snr = level_dbfs(centred), None
    is_cut = has_second = False
    if speech is not None:
        first, last = (
            round(seconds * audio.sample_rate) for seconds in (speech.start, speech.end)
        )
        level = level_dbfs(centred[first:last])
        is_spoken = (times > speech.start) & (times < speech.end)
        pauses = levels[~is_spoken]
        if len(pauses) >= _MIN_PAUSE_FRAMES:
            noise = _quietest(pauses)
            snr = max(0.0, level - noise)
            n_loud = int((pauses > level - _SECOND_BELOW_DB).sum())
            has_second = snr >= NOISY_SNR_DB and n_loud >= _MIN_SECOND_FRAMES
        loud = levels.max() - _CUT_BELOW_PEAK_DB
        begins = speech.start < _FRAME_DURATION and levels[0] > loud
        ends = speech.end > audio.duration - _FRAME_DURATION and levels[-1] > loud
        is_cut = bool(begins or ends)
    quality = ClipQuality(
        level_dbfs=level,
        peak=max(top, -bottom),
        clipped_fraction=_clipped_fraction(audio, top, bottom),
        noise_dbfs=noise,
        snr_db=snr,
        dc_offset=dc_offset,
        advice=(),
    )
    advice = _advice(
        quality,
        speech,
        tone=_steady_tone(centred, audio.sample_rate, speech, snr),
        is_cut=is_cut,
        has_second=has_second,
    )
    return replace(quality, advice=advice)


def _steady_tone(
    samples: np.ndarray, sample_rate: int, speech: Speech | None, snr_db: float | None
) -> float | None:
    """Frequency in Hz of the tone that most of the sound is, if it is one.

    Looked for only where there is no common word: the spectrum takes its time.
    """
    first, last = 0, len(samples)
    if speech is not None and (snr_db is None or snr_db >= NOISY_SNR_DB):
        if speech.end - speech.start <= _COMMON_DURATION:
            return None
        first, last = (
            round(seconds * sample_rate) for seconds in (speech.start, speech.end)
        )
    middle, half = (first + last) // 2, min(last - first, sample_rate) // 2
    part = samples[middle - half : middle + half]
    if len(part) < _MIN_TONE_DURATION * sample_rate:
        return None
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    hz = np.arange(len(power)) * sample_rate / len(part)
    tone = float(hz[power.argmax()])
    total = float(power.sum())
    is_near = np.abs(hz - tone) <= _TONE_WIDTH
    is_tone = total > 0 and float(power[is_near].sum()) >= _TONE_PART * total
    return tone if is_tone else None


def _frame_levels(
    samples: np.ndarray, sample_rate: int
) -> tuple[np.ndarray, np.ndarray]:
    """Level in dBFS and middle in seconds of each whole frame: (n_frames,) each."""
    n = max(1, round(_FRAME_DURATION * sample_rate))
    n_frames = len(samples) // n
    if n_frames == 0:
        return np.array([level_dbfs(samples)]), np.array(
            [0.5 * len(samples) / sample_rate]
        )
    frames = samples[: n_frames * n].reshape(n_frames, n)
    power = np.einsum("ij,ij->i", frames, frames) / n
    levels = 10 * np.log10(np.maximum(power, 10 ** (SILENCE_DBFS / 10)))
    return levels, (np.arange(n_frames) + 0.5) * n / sample_rate


def _quietest(levels: np.ndarray) -> float:
    """Level that the quietest tenth of some frames, (n_frames,), stays under."""
    rank = int(_NOISE_PART * (len(levels) - 1))
    return float(np.partition(levels, rank)[rank])


def _clipped_fraction(audio: Audio, top: float, bottom: float) -> float:
    """Part of the samples in runs of equal ones at their top or at their bottom."""
    samples = audio.samples
    least = max(_MIN_FLAT_RUN, round(_MIN_FLAT_DURATION * audio.sample_rate))
    if len(samples) < least:
        return 0.0
    n_clipped = 0
    for peak, is_at_peak in (
        (top, lambda peak: samples >= peak - _STEP),
        (-bottom, lambda peak: samples <= _STEP - peak),
    ):
        if peak < _MIN_CLIPPED_PEAK:
            continue
        places = np.flatnonzero(is_at_peak(peak))  # few, but where it is clipped
        ends = np.flatnonzero(np.diff(places) > 1) + 1
        runs = np.diff(np.concatenate([[0], ends, [len(places)]]))
        n_clipped += int(runs[runs >= least].sum())
    return n_clipped / len(samples)


def _advice(
    quality: ClipQuality,
    speech: Speech | None,
    *,
    tone: float | None,
    is_cut: bool,
    has_second: bool,
) -> tuple[str, ...]:
    """Sentences for whatever could be better, the most important first."""
    if tone is not None:  # nothing else about it matters
        return (
            f"Most of the sound is one steady tone of {tone:.0f} Hz, like a hum or a "
            "beep. Turn off whatever makes it, and say one digit.",
        )
    advice = [_advice_on_level(quality, speech)]
    if quality.clipped_fraction > CLIPPED_FRACTION:
        advice.append(
            f"{100 * quality.clipped_fraction:.1f} % of the sound is clipped. "
            "Speak more softly, move away from the microphone or turn it down."
        )
    if quality.snr_db is not None and quality.snr_db < NOISY_SNR_DB:
        advice.append(
            f"The speech is only {quality.snr_db:.0f} dB above the noise. "
            "Move closer to the microphone or to a quieter place."
        )
    if speech is not None and speech.end - speech.start > _LONG_DURATION:
        seconds = speech.end - speech.start
        advice.append(
            f"The sound taken for a word lasts {seconds:.1f} seconds, longer than any "
            "digit. Say one digit alone, in a quieter place."
        )
    if has_second:
        advice.append(
            "There is another sound beside the word, nearly as loud, and only one "
            "word is recognized. Say one digit at a time."
        )
    if is_cut:
        advice.append(
            "The word touches the beginning or the end of the recording. "
            "Leave half a second before and after it."
        )
    if abs(quality.dc_offset) > DC_OFFSET:
        advice.append(
            f"The samples have an offset of {quality.dc_offset:+.2f} (their mean "
            "should be 0). The sound input may be faulty; try another one."
        )
    return tuple(filter(None, advice))


def _advice_on_level(quality: ClipQuality, speech: Speech | None) -> str:
    """What to do if nobody seems to speak, or too softly; "" if all is well."""
    level = f"{quality.level_dbfs:.0f} dBFS, where 0 is the loudest possible"
    if quality.peak == 0:
        return (
            "The recording is completely silent. "
            "Unmute the microphone or choose another one."
        )
    if speech is None and quality.level_dbfs > _LOUD_DBFS:
        return (
            f"No word stands out from the noise, which is loud ({level}). Go to a "
            "quieter place, or move closer to the microphone."
        )
    if speech is None:
        return (
            f"Nobody seems to speak: the level is {level}. Say one digit, close to the "
            "microphone."
        )
    if quality.level_dbfs < QUIET_DBFS:
        return (
            f"The recording is very quiet ({level}). Move closer to the microphone or "
            "turn it up."
        )
    return ""
