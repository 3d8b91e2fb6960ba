"""The evaluate page: its figures, its tabs, and recordings that are not here."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from visitor import errors, open_page, press, text, widget

from audiomnist.corpora.clips import Clip
from audiomnist.evaluation.files import load_evaluation, save_evaluation
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.evaluation.rejection import at_threshold, expected_calibration_error
from audiomnist.recognition.models import DEFAULT_MODEL, find_model, list_models
from audiomnist.runs.folder import keep_threshold, update_record
from audiomnist.runs.record import read_record
from audiomnist.settings import REPOSITORY
from audiomnist.ui import state


def test_evaluate_without_models_points_to_training(no_models):
    page = open_page("evaluate")
    assert "no trained model yet" in text(page)
    assert [link.label for link in page.get("page_link")] == ["Train a network"]


def test_evaluate_shows_the_held_out_part_of_the_default_model():
    page = open_page("evaluate")
    model = find_model(DEFAULT_MODEL)
    rate = load_evaluation(model.folder).accuracy
    assert f"Accuracy: {100 * rate.value:.1f} %" in text(page)
    assert f"95 % interval: {100 * rate.low:.1f}–{100 * rate.high:.1f} %" in text(page)
    assert f"Clips: {rate.n:,}" in text(page)
    config = read_record(model.folder).config
    said = f"rule “{config.split_rule}”, seed {config.split_seed}"
    assert said in text(page)
    assert len(page.get("image")) == 1
    matrix = page.dataframe[0].value
    assert matrix.shape == (10, 11)
    assert matrix.to_numpy().sum() == rate.n


def open_view(view: str, **query: str) -> AppTest:
    """The evaluate page with one of its tabs open."""
    page = open_page("evaluate", **query)
    page.session_state[state.EVALUATE_VIEW] = view
    page.run()
    assert not page.exception
    return page


def test_evaluate_shows_the_report_of_each_digit():
    table = open_view("Digit by digit", model="ann").dataframe[0].value
    assert list(table.columns) == ["precision", "recall", "f1", "support"]
    assert list(table.index[:10]) == [str(digit) for digit in range(10)]


def test_evaluate_shows_each_speaker():
    page = open_view("Speakers")
    evaluation = load_evaluation(find_model(DEFAULT_MODEL).folder)
    assert len(page.dataframe[0].value) == len(
        {clip.speaker for clip in evaluation.clips}
    )
    assert len(page.get("image")) == 1


def test_evaluate_plays_a_mistake(tiny):
    page = open_page("evaluate", model="ann")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    page.session_state[state.EVALUATE_VIEW] = "Mistakes"
    page.run()
    table = page.dataframe[0].value
    assert len(table) == int(page.metric[3].value)
    assert len(page.get("audio")) == 1
    assert "says" in text(page) and "recognized as" in text(page)


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """Two models that were tested on recordings of another machine, with a mistake."""
    models = tmp_path / "models"
    shutil.copytree(REPOSITORY / "models", models)
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(models))
    clips = tuple(
        Clip(digit, "anna", 0, Path(f"{digit}_anna_0.wav"), corpus="far-away")
        for digit in range(10)
    )
    rows = np.eye(10, dtype=np.float32)
    rows[4] = rows[5]
    for name in (DEFAULT_MODEL, "ann"):
        save_evaluation(Evaluation(clips, rows, ("far-away",)), models / name)
    return load_evaluation(models / DEFAULT_MODEL)


def test_evaluate_tells_what_to_do_about_recordings_that_are_not_here(away):
    page = open_view("Mistakes")
    (note,) = (box.value for box in page.info if "saved with the model" in box.value)
    assert "far\\-away" in note and "Dataset page" in note
    assert "Accuracy: 90.0 %" in text(page)
    assert "Download its corpus" in text(page)
    assert not page.get("audio") and not page.error


def test_evaluate_compares_what_was_saved_where_no_recording_is_here(away):
    page = open_view("Compare")
    widget(page, "selectbox", "Second model").set_value("ann").run()
    assert f"Of {len(away.clips)} clips" in text(page)
    widget(page, "selectbox", "Second model").set_value("cnn").run()
    assert "The second model was not tested on these clips" in text(page)
    assert not page.error


def test_evaluate_says_nothing_of_missing_recordings_where_all_are_here(tiny):
    page = open_page("evaluate")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    assert "saved with the model" not in text(page)


def test_evaluate_takes_another_corpus_on_the_spot(tiny):
    page = open_page("evaluate")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    assert "Clips: 120" in text(page)
    assert "was not trained on this corpus" in text(page)


def test_evaluate_warns_of_clips_that_were_trained_on(finished_run, tiny):
    update_record(finished_run, config=replace(finished_run.config, corpora=(tiny,)))
    page = open_page("evaluate", model=finished_run.id)
    widget(page, "selectbox", "Evaluated on").set_value(tiny).run()
    assert "too optimistic" in page.warning[0].value
    assert "Clips: 120" in text(page)
    widget(page, "selectbox", "Model").set_value("ann").run()
    assert not page.warning


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """The default model's evaluation, with the answers to 40 other words.

    It is least sure of the first, and speech is found in all but the last.
    """
    models = tmp_path / "models"
    shutil.copytree(REPOSITORY / "models", models)
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(models))
    sure = np.linspace(0.2, 0.8, 40)
    rows = np.repeat((1 - sure)[:, None] / 9, 10, axis=1).astype(np.float32)
    rows[:, 3] = sure
    rows[-1] = np.nan
    saved = load_evaluation(models / DEFAULT_MODEL)
    evaluation = replace(saved, other_words=rows, other_word_names=())
    save_evaluation(evaluation, models / DEFAULT_MODEL)
    return evaluation


def test_evaluate_shows_when_the_model_answers(others):
    page = open_view("When to answer")
    model = find_model(DEFAULT_MODEL)
    point = at_threshold(others, model.calibration.threshold)
    said = text(page)
    assert f"at least **{100 * model.calibration.threshold:.0f} % sure**" in said
    for label, rate in (
        ("Digits answered", point.coverage),
        ("Right when it answers", point.accuracy),
        ("Other words answered", point.false_answers),
    ):
        assert f"{label}: {100 * rate.value:.1f} %" in said
    assert f"line: {100 * expected_calibration_error(others):.1f} %" in said
    assert len(page.get("image")) == 2
    curve, bins = page.dataframe[0].value, page.dataframe[1].value
    assert 100 * model.calibration.threshold in set(curve["threshold"])
    assert curve["false_answers"].notna().all()
    assert bins["n"].sum() == others.is_answered.sum()


def test_evaluate_keeps_another_threshold_with_a_run(finished_run):
    page = open_view("When to answer", model=finished_run.id)
    before = find_model(finished_run.id).calibration
    assert widget(page, "button", "Keep this threshold").disabled
    widget(page, "slider", "Answer from this probability on").set_value(73.0).run()
    press(page, "Keep this threshold")
    assert find_model(finished_run.id).calibration == replace(before, threshold=0.73)
    assert "at least **73 % sure**" in text(page)
    point = at_threshold(load_evaluation(finished_run.folder), 0.73)
    assert f"Digits answered: {100 * point.coverage.value:.1f} %" in text(page)


def test_evaluate_tries_another_threshold_on_a_model_that_came_with_the_app(others):
    page = open_view("When to answer")
    widget(page, "slider", "Answer from this probability on").set_value(99.0).run()
    point = at_threshold(others, 0.99)
    assert f"Digits answered: {100 * point.coverage.value:.1f} %" in text(page)
    assert "keeps its threshold" in text(page)
    assert "Keep this threshold" not in [button.label for button in page.button]


def test_evaluate_never_says_that_a_model_is_all_sure(finished_run):
    keep_threshold(finished_run, 0.99957)
    said = text(open_view("When to answer", model=finished_run.id))
    assert "when it is **all but certain** of a digit" in said
    assert "100 % sure" not in said


def test_evaluate_says_how_to_play_other_words(others, tmp_path):
    digits_alone = replace(others, other_words=others.other_words[:0])
    save_evaluation(digits_alone, tmp_path / "models" / DEFAULT_MODEL)
    page = open_view("When to answer")
    assert "other_words=…" in text(page)
    assert "Other words answered" not in text(page)
    assert "false_answers" not in page.dataframe[0].value
    assert len(page.get("image")) == 2


def test_evaluate_points_to_the_test_part_where_other_words_were_played(others, tiny):
    page = open_view("When to answer")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    assert "own test part above: it holds 40 recordings" in text(page)


def test_evaluate_shows_clips_in_which_nobody_speaks(others, tmp_path):
    nobody = np.full_like(others.probabilities, np.nan)
    folder = tmp_path / "models" / DEFAULT_MODEL
    save_evaluation(replace(others, probabilities=nobody), folder)
    page = open_view("When to answer")
    assert "Digits answered: 0.0 %" in text(page)
    assert "Right when it answers" not in text(page)
    assert len(page.get("image")) == 1


def test_evaluate_compares_two_models(tiny):
    page = open_page("evaluate", model="cnn")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    page.session_state[state.EVALUATE_VIEW] = "Compare"
    page.run()
    others = [name for name in list_models() if name != "cnn"]
    second = widget(page, "selectbox", "Second model")
    assert second.value == others[0]
    assert len(second.options) == len(others)
    assert "Of 120 clips" in text(page) and "McNemar" in text(page)


def test_evaluate_says_what_is_wrong_with_a_damaged_model(tmp_path, monkeypatch):
    shutil.copytree(REPOSITORY / "models", tmp_path / "models")
    (tmp_path / "models" / DEFAULT_MODEL / "model.tflite").write_bytes(b"cut off")
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "models"))
    page = open_page("evaluate")
    assert "model.tflite" in errors(page)[0]
    widget(page, "selectbox", "Model").set_value("ann").run()
    assert not page.error
    assert "Accuracy" in text(page)


def test_evaluate_says_when_the_named_model_is_gone():
    page = open_page("evaluate", model="gone")
    assert "no model “gone”" in page.warning[0].value
    assert widget(page, "selectbox", "Model").value == DEFAULT_MODEL


def test_a_shipped_model_is_shown_with_the_accuracy_on_unknown_speakers():
    model = find_model(DEFAULT_MODEL)
    measured = read_record(model.folder).strangers
    rate = measured.accuracy.value
    page = open_page("evaluate", model=DEFAULT_MODEL)
    (note,) = [info.value for info in page.info if "unknown speakers" in info.value]
    assert f"**{100 * rate:.1f}\N{NO-BREAK SPACE}%**" in note
    assert f"n = {measured.n_clips:,}" in note


def test_mistakes_that_live_would_not_make_are_told_apart():
    model = find_model("cnn")
    mistakes = load_evaluation(model.folder).errors()
    n_sure = sum(
        mistake.probability >= model.calibration.threshold for mistake in mistakes
    )
    page = open_page("evaluate", model="cnn")
    page.session_state[state.EVALUATE_VIEW] = "Mistakes"
    page.run()
    assert f"would give {n_sure} of these {len(mistakes)} answers" in text(page)
