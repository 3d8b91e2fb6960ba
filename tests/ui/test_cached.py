"""What is kept for all visitors is read again when it was written anew."""

import shutil

import numpy as np

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.corpora import library
from audiomnist.corpora.clips import load_audio
from audiomnist.evaluation.files import FILE_NAME, load_evaluation
from audiomnist.evaluation.rejection import at_threshold
from audiomnist.recognition.models import find_model
from audiomnist.ui import cached


def test_an_evaluation_is_read_again_only_when_it_was_written_anew(
    finished_run, monkeypatch
):
    tested = cached.tested(finished_run)
    evaluation = load_evaluation(finished_run.folder)
    threshold = finished_run.record.model.calibration.threshold
    assert tested.accuracy == evaluation.accuracy
    assert tested.false_answers == at_threshold(evaluation, threshold).false_answers
    path = finished_run.folder / FILE_NAME
    load = load_evaluation
    monkeypatch.setattr(cached, "load_evaluation", None)
    assert cached.tested(finished_run) == tested
    monkeypatch.setattr(cached, "load_evaluation", load)
    path.write_text("{")
    assert cached.tested(finished_run) is None
    path.unlink()
    assert cached.tested(finished_run) is None


def test_a_corpus_that_is_replaced_under_its_name_is_seen(tiny, tiny_folder, tmp_path):
    before = cached.corpus("tiny")
    lengths = cached.durations(before)
    told = []
    evaluation = cached.evaluate_corpus("ann", "tiny", lambda *done: told.append(done))
    assert told[0] == (0, 120), "before it begins, so that nothing old is left standing"
    assert told[-1] == (120, 120)
    assert cached.corpus("tiny") is before
    assert cached.evaluate_corpus("ann", "tiny") is evaluation
    other = tmp_path / "other"
    other.mkdir()
    for clip in before.clips:  # as many bytes, but half as long and another sound
        audio = load_audio(clip)
        faster = Audio(audio.samples[::-1].copy(), 2 * audio.sample_rate)
        (other / clip.name).write_bytes(encode_wav(faster))
    library.remove_corpus("tiny")
    library.import_corpus("tiny", other)
    assert cached.corpus("tiny") is not before
    np.testing.assert_allclose(cached.durations(cached.corpus("tiny")), lengths / 2)
    again = cached.evaluate_corpus("ann", "tiny")
    assert again.clips == evaluation.clips
    assert not np.array_equal(again.probabilities, evaluation.probabilities)


def test_a_model_that_is_replaced_under_its_name_is_seen(tmp_path, monkeypatch):
    shipped = find_model("cnn").folder.parent
    folder = tmp_path / "models"
    shutil.copytree(shipped / "cnn", folder / "mine")
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(folder))
    before, tested = cached.recognizer("mine"), cached.held_out("mine")
    assert cached.recognizer("mine") is before
    assert cached.held_out("mine") is tested
    shutil.rmtree(folder / "mine")
    shutil.copytree(shipped / "ann", folder / "mine")
    assert cached.recognizer("mine").model.features.kind == "mfcc"
    assert cached.held_out("mine").accuracy != tested.accuracy
