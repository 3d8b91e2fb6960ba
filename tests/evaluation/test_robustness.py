"""Hearing under conditions: what is exposed, and what is counted."""

from dataclasses import replace

import numpy as np
import pytest
from nearest_model import NearestModel

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.corpora.clips import Clip, load_audio
from audiomnist.errors import AudioError, CorpusError
from audiomnist.evaluation.conditions import CLEAN, CONDITIONS, Condition, Recording
from audiomnist.evaluation.robustness import (
    TOLERANCE,
    Exposure,
    LabelledRecording,
    Outcome,
    evaluate_under,
    expose,
    load_recordings,
)
from audiomnist.features.speech import Speech, find_speech
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.recognizer import Recognizer

BABBLE = next(c for c in CONDITIONS if c.name == "babble, 10 dB")
NOISE = next(c for c in CONDITIONS if c.name == "white noise, 5 dB")
MUFFLE = Condition("silence", "fault", lambda recording, rng: silence(recording))


def silence(recording: Recording) -> Audio:
    """A recording in which next to nothing is left."""
    faint = recording.audio.samples * np.float32(1e-6)
    return Audio(faint, recording.audio.sample_rate)


@pytest.fixture
def clips(tiny_corpus) -> list[Clip]:
    """Two takes of each digit by two speakers."""
    speakers = tiny_corpus.speakers[:2]
    return [c for c in tiny_corpus.clips if c.speaker in speakers and c.take < 2]


@pytest.fixture
def recordings(clips) -> tuple[LabelledRecording, ...]:
    return load_recordings(clips)


@pytest.fixture
def recognizer(tiny_corpus) -> Recognizer:
    """Knows the third take of each digit and speaker."""
    words: list[list[Audio]] = [[] for _ in range(10)]
    for clip in tiny_corpus.clips:
        if clip.take == 2:
            words[clip.digit].append(load_audio(clip))
    return Recognizer(NearestModel(words))  # type: ignore[arg-type]


def counts(outcome: Outcome) -> dict[str, tuple[int, int]]:
    names = ("correct", "answered", "answered_correctly", "found", "placed")
    rates = {name: getattr(outcome, name) for name in (*names, "correct_if_placed")}
    return {name: (rate.successes, rate.n) for name, rate in rates.items()}


# The recordings


def test_each_clip_is_decoded_once_and_its_word_is_found(clips, monkeypatch):
    loaded = []

    def load(clip: Clip) -> Audio:
        loaded.append(clip)
        return load_audio(clip)

    monkeypatch.setattr("audiomnist.evaluation.robustness.load_audio", load)
    recordings = load_recordings(clips)
    for condition in (CLEAN, NOISE, BABBLE):
        expose(recordings, condition)
    assert loaded == clips
    for labelled in recordings:
        assert labelled.recording.word == find_speech(labelled.recording.audio)


def test_all_of_a_clip_is_its_word_where_none_is_found(tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal(8000)
    path = tmp_path / "3_anna_0.wav"
    path.write_bytes(encode_wav(Audio(noise.astype(np.float32), 8000)))
    (labelled,) = load_recordings([Clip(3, "anna", 0, path)])
    assert find_speech(labelled.recording.audio) is None
    assert labelled.recording.word == Speech(0.0, 1.0)


def test_babble_is_never_the_clip_its_speaker_or_its_digit(clips, recordings):
    by_samples = {
        labelled.recording.audio.samples.tobytes(): labelled.clip
        for labelled in recordings
    }
    assert len(by_samples) == len(clips)
    for labelled in recordings:
        others = {by_samples[a.samples.tobytes()] for a in labelled.recording.talkers}
        assert others == {
            clip
            for clip in clips
            if clip.speaker != labelled.clip.speaker
            and clip.digit != labelled.clip.digit
        }


def test_babble_is_what_others_say(recordings):
    first = recordings[0]
    background = expose([first], BABBLE).audios[0].samples - np.pad(
        first.recording.audio.samples, round(BABBLE.pause * 8000)
    )
    likeness = [
        np.correlate(background, audio.samples).max()
        / np.linalg.norm(audio.samples)
        / np.linalg.norm(background)
        for audio in first.recording.talkers
    ]
    own = first.recording.audio.samples
    own_likeness = (
        np.correlate(background, own).max()
        / np.linalg.norm(own)
        / np.linalg.norm(background)
    )
    assert max(likeness) > 2 * own_likeness


def test_a_clip_that_is_gone_or_no_sound_or_silent_is_refused(tmp_path):
    clip = Clip(3, "anna", 0, tmp_path / "3_anna_0.wav")
    with pytest.raises(CorpusError, match="cannot be read"):
        load_recordings([clip])
    clip.path.write_bytes(b"no sound")
    with pytest.raises(AudioError, match=r"3_anna_0\.wav"):
        load_recordings([clip])
    clip.path.write_bytes(encode_wav(Audio(np.zeros(8000, np.float32), 8000)))
    with pytest.raises(AudioError, match="There is no sound from"):
        load_recordings([clip])


# Exposure


def test_a_seed_repeats_an_exposure_and_another_does_not(recordings):
    first, again, other = (expose(recordings[:3], NOISE, seed) for seed in (1, 1, 2))
    for one, same, different in zip(
        first.audios, again.audios, other.audios, strict=True
    ):
        assert np.array_equal(one.samples, same.samples)
        assert not np.allclose(one.samples, different.samples)


def test_a_clip_has_its_own_noise_whatever_is_beside_it(recordings):
    together = expose(recordings, NOISE).audios
    alone = expose(recordings[5:6], NOISE).audios[0]
    assert np.array_equal(together[5].samples, alone.samples)
    pauses = {audio.samples[:4000].tobytes() for audio in together}
    assert len(pauses) == len(together)


def test_words_move_by_the_pause(recordings):
    exposure = expose(recordings, NOISE)
    for labelled, word in zip(recordings, exposure.words, strict=True):
        clean = labelled.recording.word
        assert word.start == pytest.approx(clean.start + NOISE.pause)
        assert word.end == pytest.approx(clean.end + NOISE.pause)


def test_babble_by_one_speaker_alone_is_refused(clips):
    own = [clip for clip in clips if clip.speaker == clips[0].speaker]
    with pytest.raises(AudioError, match="other speakers"):
        expose(load_recordings(own), BABBLE)


# What is counted


def test_clean_words_are_recognized_and_in_their_place(recognizer, recordings):
    outcome = evaluate_under(recognizer, expose(recordings, CLEAN))
    n = len(recordings)
    assert outcome.condition == CLEAN.name
    assert set(counts(outcome).values()) == {(n, n)}
    assert 0.85 < outcome.correct.low < outcome.correct.high == 1


def test_where_no_speech_is_found_the_answer_is_wrong(recognizer, recordings):
    outcome = counts(evaluate_under(recognizer, expose(recordings, MUFFLE)))
    n = len(recordings)
    assert outcome["correct"] == outcome["found"] == outcome["placed"] == (0, n)
    assert outcome["answered"] == (0, n)
    assert outcome["answered_correctly"] == (0, 0)


def test_below_the_threshold_there_is_no_answer_and_the_likeliest_counts(
    recognizer, recordings
):
    recognizer.model.calibration = Calibration(threshold=1.0)  # type: ignore[misc]
    outcome = counts(evaluate_under(recognizer, expose(recordings, CLEAN)))
    n = len(recordings)
    assert outcome["correct"] == outcome["found"] == (n, n)
    assert outcome["answered"] == (0, n)


def test_a_wrong_answer_is_none_of_the_right_ones(recognizer, recordings):
    exposure = expose(recordings, CLEAN)
    shifted = tuple(replace(c, digit=(c.digit + 1) % 10) for c in exposure.clips)
    outcome = counts(evaluate_under(recognizer, replace(exposure, clips=shifted)))
    n = len(recordings)
    assert outcome["correct"] == outcome["answered_correctly"] == (0, n)
    assert outcome["correct_if_placed"] == (0, n)
    assert outcome["answered"] == outcome["placed"] == (n, n)


@pytest.mark.parametrize(
    ("start", "end", "is_placed"),
    [
        (0.0, 0.0, True),
        (0.9 * TOLERANCE, -0.9 * TOLERANCE, True),
        (1.1 * TOLERANCE, 0.0, False),
        (-1.1 * TOLERANCE, 0.0, False),
        (0.0, 1.1 * TOLERANCE, False),
        (0.0, -1.1 * TOLERANCE, False),
    ],
)
def test_a_word_is_in_its_place_if_both_ends_are(
    recognizer, recordings, start, end, is_placed
):
    exposure = expose(recordings[:1], replace(CLEAN, pause=0.5))
    speech = find_speech(exposure.audios[0])
    assert speech is not None
    words = (Speech(speech.start + start, speech.end + end),)
    outcome = evaluate_under(recognizer, replace(exposure, words=words))
    assert outcome.placed.successes == is_placed


def test_the_network_alone_is_judged_on_the_word_where_it_is(recognizer, recordings):
    """A loud rattle after the word is what is found in its place."""

    def rattle(recording: Recording, rng: np.random.Generator) -> Audio:
        samples = np.pad(recording.audio.samples, (0, 12_000))
        samples[-8000:] = rng.uniform(-1, 1, 8000) * np.sin(np.arange(8000) / 300) ** 2
        return Audio(samples, recording.audio.sample_rate)

    n = len(recordings)
    outcome = counts(
        evaluate_under(recognizer, expose(recordings, Condition("", "", rattle)))
    )
    assert outcome["placed"][0] < n / 4
    assert outcome["correct"][0] < n / 2
    assert outcome["correct_if_placed"] == (n, n)


def test_predicting_in_batches_is_predicting_one_by_one(recognizer, recordings):
    long = Condition("long", "pauses", lambda r, rng: r.audio, 3.0)
    assert sum(3.2 * 2 / 0.015 for _ in recordings) > 4096  # more than one batch
    together = counts(evaluate_under(recognizer, expose(recordings, long)))
    alone = [
        counts(evaluate_under(recognizer, expose([labelled], long)))
        for labelled in recordings
    ]
    for name, (successes, n) in together.items():
        assert successes == sum(one[name][0] for one in alone)
        assert n == sum(one[name][1] for one in alone)


def test_no_speech_is_found_in_silence(recognizer):
    empty = Exposure(CLEAN, (), (), ())
    assert set(counts(evaluate_under(recognizer, empty)).values()) == {(0, 0)}
