"""Time from the bytes of a recording to its digit, as a visitor's upload takes it."""

import os
import time
from typing import Any

import numpy as np

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio, resample
from audiomnist.benchmark import report
from audiomnist.benchmark.accuracy import shipped_models
from audiomnist.corpora import library
from audiomnist.corpora.clips import load_audio
from audiomnist.recognition.models import find_model
from audiomnist.recognition.recognizer import Recognizer

SAMPLE_RATE = 48_000
"""Sample rate of the recordings, in Hz: what microphones give."""

DURATION = 1.5
"""Length of the recordings, in seconds."""

_N_WARM_UP = 20  # recordings


def measure(n_recordings: int = 500) -> dict[str, Any]:
    """Time each shipped model on recordings of 1.5 s at 48 kHz, on one core, warm.

    Parameters
    ----------
    n_recordings
        Recordings for each model.

    Returns
    -------
    dict
        n_recordings, and models: by name, median_ms and p95_ms.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    recordings = _recordings(n_recordings)
    times_ms = {name: _times_ms(name, recordings) for name in shipped_models()}
    return {
        "n_recordings": n_recordings,
        "models": {
            name: {
                "median_ms": float(np.median(times)),
                "p95_ms": float(np.percentile(times, 95)),
            }
            for name, times in times_ms.items()
        },
    }


def table(entry: dict[str, Any]) -> str:
    """Lay a result out as Markdown."""
    head = [
        f"wav bytes ({DURATION} s, {SAMPLE_RATE // 1000} kHz) to digit, one core",
        "median",
        "95 %",
    ]
    rows = [
        [name, f"{times['median_ms']:.1f} ms", f"{times['p95_ms']:.1f} ms"]
        for name, times in entry["models"].items()
    ]
    return report.markdown_table(head, rows)


def _times_ms(name: str, recordings: list[bytes]) -> list[float]:
    """What each recording takes."""
    recognizer = Recognizer(find_model(name))
    for recording in recordings[:_N_WARM_UP]:
        recognizer.predict_bytes(recording, "recording.wav")
    times = []
    for recording in recordings:
        start = time.perf_counter()
        recognizer.predict_bytes(recording, "recording.wav")
        times.append(1000 * (time.perf_counter() - start))
    return times


def _recordings(n_recordings: int) -> list[bytes]:
    """Embedded clips as a microphone would give them: wav files."""
    clips = library.load_corpus("embedded").clips
    step = max(1, len(clips) // n_recordings)
    n_samples = round(DURATION * SAMPLE_RATE)
    recordings = []
    for clip in clips[::step][:n_recordings]:
        word = resample(load_audio(clip), SAMPLE_RATE).samples[:n_samples]
        samples = np.zeros(n_samples, dtype=np.float32)
        start = (n_samples - len(word)) // 2
        samples[start : start + len(word)] = word
        recordings.append(encode_wav(Audio(samples, SAMPLE_RATE)))
    return recordings
