"""Features of corpora: the recordings' own, cached by content, nothing invented."""

import os

import numpy as np
import pytest

from audiomnist.audio.decoding import load
from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.corpora.clips import Clip
from audiomnist.corpora.library import load_corpus
from audiomnist.errors import AudioError
from audiomnist.features import cache
from audiomnist.features.cache import clip_features, clip_spectra
from audiomnist.features.config import VERSION, FeatureConfig
from audiomnist.features.extraction import extract
from audiomnist.features.rendering import render


def test_clip_features_are_those_of_the_recordings(tiny_corpus) -> None:
    features = clip_features(tiny_corpus.clips, FeatureConfig())
    assert features.clips == tiny_corpus.clips and features.missing == ()
    expected = extract([load(clip.path) for clip in tiny_corpus.clips], FeatureConfig())
    np.testing.assert_allclose(features.values, expected, atol=2e-4)


def test_the_second_time_comes_from_the_cache(tiny_corpus, monkeypatch) -> None:
    first = clip_features(tiny_corpus.clips, FeatureConfig())

    def refuse(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(cache, "extract_spoken", refuse)
    again = clip_features(tiny_corpus.clips, FeatureConfig())
    np.testing.assert_array_equal(first.values, again.values)
    with pytest.raises(AssertionError, match="computed again"):
        clip_features(tiny_corpus.clips, FeatureConfig(n_mels=39, n_mfcc=20))


def test_spectra_come_from_the_cache_bit_by_bit(tiny_corpus, monkeypatch) -> None:
    first = clip_spectra(tiny_corpus.clips, FeatureConfig())

    def refuse(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(cache, "spectra", refuse)
    again = clip_spectra(tiny_corpus.clips, FeatureConfig())
    assert (again.clips, again.missing) == (first.clips, first.missing)
    for name, array in vars(first.spectra).items():
        np.testing.assert_array_equal(getattr(again.spectra, name), array)
        assert getattr(again.spectra, name).dtype == array.dtype
    for clips, version in (
        (tiny_corpus.clips[1:], VERSION),
        (tiny_corpus.clips, VERSION + 1),
    ):
        monkeypatch.setattr(cache, "VERSION", version)
        with pytest.raises(AssertionError, match="computed again"):
            clip_spectra(clips, FeatureConfig())


def test_the_cache_keeps_what_was_used_last_within_its_bounds(
    tiny_corpus, home, monkeypatch
) -> None:
    def n_cached() -> int:
        return len(list((home / "cache").rglob("*.npz")))

    few = [tiny_corpus.clips[first : first + 5] for first in (0, 5, 10)]
    for clips in few[:2]:
        clip_spectra(clips, FeatureConfig())
    files = list((home / "cache" / "spectra").iterdir())
    for path in files:
        os.utime(path, (0, 0))
    clip_spectra(few[0], FeatureConfig())
    (oldest,) = (path for path in files if path.stat().st_mtime == 0)
    n_bytes = sum(path.stat().st_size for path in files)
    monkeypatch.setattr(cache, "MAX_CACHE_BYTES", 1.2 * n_bytes)
    clip_spectra(few[2], FeatureConfig())
    assert n_cached() == 2 and not oldest.exists()
    clip_spectra(tiny_corpus.clips, FeatureConfig())
    assert n_cached() == 2, "more than half of the bound is not kept"


def test_a_changed_recording_is_not_answered_from_the_cache(tmp_path, spoken) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    path = folder / "3_me_0.wav"
    path.write_bytes(encode_wav(spoken(3)))
    before = clip_features(load_corpus(folder).clips, FeatureConfig())
    path.write_bytes(encode_wav(spoken(9)))
    after = clip_features(load_corpus(folder).clips, FeatureConfig())
    assert np.abs(before.values - after.values).max() > 0.5


def test_changed_code_is_not_answered_from_the_cache(tiny_corpus, monkeypatch) -> None:
    clip_features(tiny_corpus.clips[:5], FeatureConfig())
    monkeypatch.setattr(cache, "VERSION", VERSION + 1)
    monkeypatch.setattr(cache, "extract_spoken", lambda audios, config: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        clip_features(tiny_corpus.clips[:5], FeatureConfig())


def test_a_damaged_cache_file_is_computed_again(tiny_corpus, home) -> None:
    first = clip_features(tiny_corpus.clips, FeatureConfig())
    (file,) = (home / "cache" / "features").glob("*.npz")
    file.write_bytes(file.read_bytes()[:1000])
    again = clip_features(tiny_corpus.clips, FeatureConfig())
    np.testing.assert_array_equal(first.values, again.values)


def test_without_a_place_for_the_cache_the_features_still_come(
    tiny_corpus, tmp_path, monkeypatch, caplog
) -> None:
    (tmp_path / "a_file").write_text("not a folder")
    monkeypatch.setenv("AUDIOMNIST_HOME", str(tmp_path / "a_file"))
    assert len(clip_features(tiny_corpus.clips[:5], FeatureConfig()).values) == 5
    assert "Features are not cached" in caplog.text


def test_clips_without_speech_are_named_not_invented(tmp_path, spoken) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "1_me_0.wav").write_bytes(encode_wav(spoken(1)))
    (folder / "2_me_0.wav").write_bytes(
        encode_wav(Audio(np.zeros(8000, np.float32), 8000))
    )
    (folder / "3_me_0.wav").write_bytes(encode_wav(spoken(3)))
    clips = load_corpus(folder).clips
    features = clip_features(clips, FeatureConfig())
    assert [clip.digit for clip in features.clips] == [1, 3]
    assert [clip.digit for clip in features.missing] == [2]
    assert features.digits.tolist() == [1, 3]
    learned = clip_spectra(clips, FeatureConfig())
    assert (learned.clips, learned.missing) == (features.clips, features.missing)
    assert learned.digits.tolist() == [1, 3]
    np.testing.assert_allclose(
        render(learned.spectra, FeatureConfig()), features.values, atol=2e-4
    )


def test_progress_is_reported_to_the_end(tiny_corpus) -> None:
    seen: list[tuple[int, int]] = []
    clip_features(
        tiny_corpus.clips, FeatureConfig(), on_progress=lambda *done: seen.append(done)
    )
    assert seen[-1] == (120, 120)


def test_a_damaged_recording_is_named(tmp_path) -> None:
    (tmp_path / "1_me_0.wav").write_bytes(b"no sound at all")
    clip = Clip(1, "me", 0, tmp_path / "1_me_0.wav")
    with pytest.raises(AudioError, match=r"1_me_0.wav is not a sound file"):
        clip_features([clip], FeatureConfig())
