"""Clips a second of feature extraction, beside the plain librosa loop.

Both go from wav files to arrays, in one process with one thread, with the same
recordings. They take turns, so that whatever else the machine does slows both.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from audiomnist.audio.decoding import load
from audiomnist.benchmark import report
from audiomnist.corpora import library
from audiomnist.corpora.clips import Clip
from audiomnist.features.cache import clip_features
from audiomnist.features.config import FeatureConfig
from audiomnist.features.extraction import extract
from audiomnist.runs.presets import preset


def measure(repeats: int = 5) -> dict[str, Any]:
    """Time both ways in turn over all clips of the Free Spoken Digit Dataset.

    Parameters
    ----------
    repeats
        Passes of each over all clips.

    Returns
    -------
    dict
        n_clips; clips_per_second by way, a number for each repeat; ratios to the
        loop, a number for each repeat; median_ratio by way; and cached, the clips
        a second when their features are on disk.

    Raises
    ------
    CorpusError
        If the corpus is not here.
    """
    import librosa

    clips = library.load_corpus("fsdd").clips
    paths = [clip.path for clip in clips]
    configs = {kind: preset(kind).features for kind in ("ann", "cnn")}

    def loop() -> None:
        for path in paths:
            samples, sample_rate = librosa.load(path)
            librosa.feature.mfcc(y=samples, sr=sample_rate, n_mfcc=40)

    def ours(config: FeatureConfig) -> None:
        extract([load(path) for path in paths], config)

    ways: dict[str, Callable[[], None]] = {"librosa loop": loop}
    for kind, config in configs.items():
        name = f"{kind}: {config.kind} {config.shape[0]}x{config.shape[1]}"
        ways[name] = partial(ours, config)
    for way in ways.values():
        way()  # the files are in memory then, and librosa has compiled
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            speeds[name].append(len(paths) / (time.perf_counter() - start))
    (_, plain), *others = speeds.items()
    ratios = {
        name: [one / other for one, other in zip(speed, plain, strict=True)]
        for name, speed in others
    }
    return {
        "n_clips": len(paths),
        "repeats": repeats,
        "clips_per_second": speeds,
        "ratios": ratios,
        "median_ratio": {name: statistics.median(r) for name, r in ratios.items()},
        "cached": _cached_speed(clips, configs["cnn"]),
    }


def table(entry: dict[str, Any]) -> str:
    """Lay a result out as Markdown."""
    rows = [
        [
            name,
            f"{statistics.median(speeds):,.0f}",
            f"{entry['median_ratio'][name]:.0f} x" if name in entry["ratios"] else "1",
        ]
        for name, speeds in entry["clips_per_second"].items()
    ]
    rows.append(["from the cache on disk", f"{entry['cached']:,.0f}", ""])
    head = [
        f"{entry['n_clips']:,} wav files to arrays, one thread",
        "clips/s",
        "times the loop",
    ]
    return report.markdown_table(head, rows)


def _cached_speed(clips: tuple[Clip, ...], config: FeatureConfig) -> float:
    """Clips a second when their features were extracted before."""
    clip_features(clips, config)
    start = time.perf_counter()
    clip_features(clips, config)
    return len(clips) / (time.perf_counter() - start)
