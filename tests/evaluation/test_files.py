"""The file of an evaluation: written, read, and what is damaged."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from answered import certain, evaluation_of, some_clips

from audiomnist.corpora.library import import_corpus
from audiomnist.errors import ModelError
from audiomnist.evaluation.evaluate import evaluate, mcnemar
from audiomnist.evaluation.files import FILE_NAME, load_evaluation, save_evaluation
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.recognition.models import find_model
from audiomnist.settings import REPOSITORY

SHIPPED = sorted(path.parent.name for path in REPOSITORY.glob("models/*/run.json"))


def test_save_and_load_give_the_same_evaluation(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(10, 0.05), 60).astype(np.float32)
    rows[7] = np.nan
    saved = Evaluation(some_clips(), rows, ("fsdd",))
    save_evaluation(saved, tmp_path)
    loaded = load_evaluation(tmp_path)
    np.testing.assert_allclose(loaded.probabilities, rows, rtol=6e-4)
    assert np.array_equal(loaded.predicted, saved.predicted)
    assert loaded.probabilities.dtype == np.float32
    assert loaded.corpora == ("fsdd",)
    assert loaded.report().equals(saved.report())
    assert mcnemar(saved, loaded).n == 60
    assert not any(clip.path.exists() for clip in loaded.clips)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_a_file_of_the_time_before_is_understood(tmp_path):
    """Probabilities had all their digits, and a space stood after each comma."""
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(10, 0.05), 60).astype(np.float32)
    lines = [
        {
            "name": clip.name,
            "digit": clip.digit,
            "speaker": clip.speaker,
            "take": clip.take,
            "probabilities": [float(p) for p in row],
        }
        for clip, row in zip(some_clips(), rows, strict=True)
    ]
    content = {"format": 1, "corpora": ["fsdd"], "clips": lines}
    (tmp_path / FILE_NAME).write_text(json.dumps(content, indent=1))
    loaded = load_evaluation(tmp_path)
    assert np.array_equal(loaded.probabilities, rows)
    assert {clip.corpus for clip in loaded.clips} == {"fsdd"}


def test_the_file_is_compact_and_no_rounding_changes_an_answer(tmp_path):
    close = np.full((1, 10), 1e-7, np.float32)
    close[0, [3, 8]] = 0.499_99, 0.500_01
    close /= close.sum()
    saved = Evaluation(some_clips()[:1], close, other_words=close)
    text = save_evaluation(saved, tmp_path).read_text()
    assert ", " not in text and ": " not in text
    loaded = load_evaluation(tmp_path)
    assert loaded.predicted.tolist() == saved.predicted.tolist() == [8]
    assert loaded.other_words.argmax(axis=1).tolist() == [8]
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(10, 0.05), 60).astype(np.float32)
    text = save_evaluation(Evaluation(some_clips(), rows), tmp_path).read_text()
    numbers = re.findall(r"\d+(?:\.\d+)?(?=e|[,\]])", text.partition("clips")[2])
    lengths = [len(number.replace(".", "").strip("0")) for number in numbers]
    # The likeliest is written exactly: whether it is answered hangs on it.
    assert sum(length > 4 for length in lengths) <= len(rows)
    again = load_evaluation(tmp_path)
    np.testing.assert_array_equal(again.confidence, rows.max(axis=1))


@pytest.mark.parametrize("names", [("bed_0.wav", "Tür_1.wav", "noise.wav"), ()])
def test_other_words_are_saved_and_loaded(tmp_path, names):
    rng = np.random.default_rng(0)
    others = rng.dirichlet(np.full(10, 0.05), 3).astype(np.float32)
    others[1] = np.nan
    rows = certain([clip.digit for clip in some_clips()])
    saved = Evaluation(some_clips(), rows, ("fsdd",), others, names)
    save_evaluation(saved, tmp_path)
    loaded = load_evaluation(tmp_path)
    np.testing.assert_allclose(loaded.other_words, others, rtol=6e-4)
    assert loaded.other_words.dtype == np.float32
    assert loaded.other_word_names == names
    np.testing.assert_allclose(loaded.probabilities, rows, rtol=6e-4)
    assert loaded.corpora == ("fsdd",)


def test_a_file_without_other_words_is_as_it_always_was(tmp_path):
    path = save_evaluation(evaluation_of(), tmp_path)
    assert set(json.loads(path.read_text())) == {"format", "corpora", "clips"}
    loaded = load_evaluation(tmp_path)
    assert loaded.other_words.shape == (0, 10)
    assert loaded.other_word_names == ()


def test_the_file_names_no_folder(tmp_path, tiny_folder, tiny_corpus):
    clips = tiny_corpus.clips
    save_evaluation(evaluation_of(clips=clips), tmp_path)
    text = (tmp_path / FILE_NAME).read_text()
    assert str(tiny_folder) not in text
    assert "\\" not in text
    assert "/" not in text
    json.loads(text)


def test_a_name_in_the_file_leads_nowhere_else(tmp_path):
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"x")
    path = save_evaluation(evaluation_of(), tmp_path)
    content = json.loads(path.read_text())
    content["clips"][0]["name"] = str(secret)
    path.write_text(json.dumps(content))
    assert not load_evaluation(tmp_path).clips[0].path.exists()


def test_recordings_of_a_corpus_that_is_here_are_found_again(tmp_path, tiny_folder):
    corpus = import_corpus("ours", tiny_folder).corpus
    clips = corpus.clips
    rows = certain([clip.digit for clip in clips])
    save_evaluation(Evaluation(clips, rows, ("ours", "elsewhere")), tmp_path)
    assert load_evaluation(tmp_path).clips == clips


def test_recordings_in_a_folder_are_found_when_it_is_given(tmp_path, tiny_corpus):
    clips = tiny_corpus.clips
    save_evaluation(evaluation_of(clips=clips), tmp_path)
    loaded = load_evaluation(tmp_path)
    assert loaded.clips != clips
    assert loaded.with_recordings([tiny_corpus]).clips == clips


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": 99, "corpora": [], "clips": []}',
        '{"format": 1, "corpora": [], "clips": [{"name": "x"}]}',
        '{"format": 1, "corpora": [], "clips": [{"name": "x", "digit": 12, '
        '"speaker": "a", "take": 0, "probabilities": null}]}',
        '{"format": 1, "corpora": [], "clips": [{"name": "x", "digit": 1, '
        '"speaker": "a", "take": 0, "probabilities": [1, 0]}]}',
        '{"format": 1, "corpora": [], "clips": [{"name": "x", "digit": 1, '
        '"speaker": "a", "take": 0, "probabilities": [3,0,0,0,0,0,0,0,0,0]}]}',
        '{"format": 1, "corpora": [], "clips": [], "others": null}',
        '{"format": 1, "corpora": [], "clips": [], "others": ["x.wav"]}',
        '{"format": 1, "corpora": [], "clips": [], "others": [{"name": "x"}]}',
        '{"format": 1, "corpora": [], "clips": [], "others": [{"name": "x", '
        '"probabilities": [1, 0]}]}',
        '{"format": 1, "corpora": [], "clips": [], "others": [{"name": "x", '
        '"probabilities": [3,0,0,0,0,0,0,0,0,0]}]}',
    ],
)
def test_a_file_that_is_no_evaluation_is_refused(tmp_path, content):
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(ModelError, match="Evaluate the model again"):
        load_evaluation(tmp_path)


def test_a_model_without_an_evaluation_says_so(tmp_path):
    with pytest.raises(ModelError, match="Evaluate the model first"):
        load_evaluation(tmp_path)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(ModelError, match="cannot be written"):
        save_evaluation(evaluation_of(), tmp_path / "missing")


def test_a_file_that_names_only_the_corpora_of_all_is_understood(tmp_path, tiny_folder):
    here = import_corpus("here", tiny_folder).corpus.clips
    away = tuple(replace(clip, corpus="away") for clip in some_clips())
    saved = Evaluation(
        here + away,
        certain([clip.digit for clip in here + away]),
        ("here", "away"),
    )
    path = save_evaluation(saved, tmp_path)
    content = json.loads(path.read_text())
    for row in content["clips"]:
        del row["corpus"]
    path.write_text(json.dumps(content))
    loaded = load_evaluation(tmp_path)
    assert loaded.clips[: len(here)] == here
    assert {clip.corpus for clip in loaded.clips[len(here) :]} == {"away"}
    assert mcnemar(loaded, saved).n == len(saved.clips)


@pytest.mark.corpus
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_gives_the_answers_in_its_file(name, fsdd):
    model = find_model(name)
    saved = load_evaluation(model.folder)
    here = [i for i, clip in enumerate(saved.clips) if clip.path.exists()]
    assert {saved.clips[i] for i in here} <= set(fsdd.clips)
    here = here[:: len(here) // 200 + 1]
    assert here, "shipped models are tested on this corpus"
    again = evaluate(model, [saved.clips[i] for i in here])
    expected = saved.probabilities[here]
    assert np.allclose(again.probabilities, expected, atol=1e-3, equal_nan=True)
