"""Metrics that follow from a model's answers, beside scikit-learn's."""

import numpy as np
import pytest
from answered import certain, evaluation_of, some_clips

from audiomnist.errors import ModelError
from audiomnist.evaluation.metrics import NO_ANSWER, Evaluation, few_speakers


def test_a_model_without_mistakes():
    result = evaluation_of()
    assert result.accuracy.value == 1
    assert result.accuracy.high == 1
    assert result.accuracy.low < 1
    assert result.errors() == []
    assert np.array_equal(result.confusion()[:, :10], np.eye(10) * 6)
    assert (result.report()["f1"] == 1).all()


def test_a_model_that_is_always_wrong():
    wrong = {i: (clip.digit + 1) % 10 for i, clip in enumerate(some_clips())}
    result = evaluation_of(wrong)
    assert result.accuracy.value == 0
    assert len(result.errors()) == 60
    assert np.trace(result.confusion()) == 0
    assert (result.report().loc["macro avg", ["precision", "recall", "f1"]] == 0).all()


def test_confusion_rows_sum_to_the_support():
    result = evaluation_of({0: 7, 5: None, 30: 1, 31: 1})
    matrix = result.confusion()
    assert matrix.shape == (10, 11)
    support = result.report()["support"][[str(digit) for digit in range(10)]]
    assert matrix.sum(axis=1).tolist() == support.tolist()
    assert matrix[0, 7] == 1
    assert matrix[5, 1] == 2
    assert matrix[:, 10].tolist() == [1, *[0] * 9]


def test_report_follows_from_the_confusion_matrix():
    result = evaluation_of({0: 7, 5: None, 30: 1, 31: 1})
    matrix, report = result.confusion(), result.report()
    for digit in range(10):
        row = report.loc[str(digit)]
        assert row["recall"] == matrix[digit, digit] / matrix[digit].sum()
        assert row["precision"] == matrix[digit, digit] / matrix[:, digit].sum()


def test_a_clip_without_speech_is_a_mistake_without_an_answer():
    result = evaluation_of({3: None, 10: 8})
    assert result.accuracy.successes == 58
    assert result.predicted[3] == NO_ANSWER
    sure, silent = result.errors()
    assert (sure.clip, sure.answer) == (result.clips[10], 8)
    assert sure.probability == pytest.approx(0.91)
    assert (silent.clip, silent.answer) == (result.clips[3], None)


def test_errors_come_surest_first():
    clips = some_clips()[:3]
    rows = np.full((3, 10), 0.0, dtype=np.float32)
    rows[:, 5] = 0.5, 0.9, 0.7
    rows[:, 6] = 1 - rows[:, 5]
    order = [mistake.clip for mistake in Evaluation(clips, rows).errors()]
    assert order == [clips[1], clips[2], clips[0]]


def test_digits_that_nobody_said_do_not_lower_the_report():
    clips = tuple(clip for clip in some_clips() if clip.digit < 3)
    report = evaluation_of(clips=clips).report()
    assert list(report.index) == ["0", "1", "2", "macro avg", "weighted avg"]
    assert report.loc["macro avg", "f1"] == 1


def test_accuracy_of_each_speaker():
    result = evaluation_of({0: 9, 3: 9, 6: None})
    table = result.per_speaker().set_index("speaker")
    assert list(table.index) == ["anna", "ben"]
    assert (table["n"] == 30).all()
    assert table.loc["anna", "accuracy"] == 28 / 30
    assert table.loc["ben", "accuracy"] == 29 / 30
    assert (table["low"] < table["accuracy"]).all()
    assert (table["accuracy"] < table["high"]).all()


def test_probabilities_must_fit_the_clips():
    with pytest.raises(ModelError, match="expected \\(60, 10\\)"):
        Evaluation(some_clips(), np.zeros((3, 10), np.float32))
    with pytest.raises(ModelError, match="sum to 1"):
        Evaluation(some_clips()[:1], np.zeros((1, 10), np.float32))
    half = np.full((1, 10), 0.1, np.float32)
    half[0, 0] = np.nan
    with pytest.raises(ModelError, match="sum to 1"):
        Evaluation(some_clips()[:1], half)


def test_other_words_change_no_metric_of_digits(tiny_corpus):
    clips = tiny_corpus.clips
    rows = certain([3, None, *(clip.digit for clip in clips[2:])])
    plain = Evaluation(clips, rows)
    beside = Evaluation(clips, rows, other_words=certain([3, None, 7]))
    assert plain.other_words.shape == (0, 10)
    assert plain.accuracy == beside.accuracy
    assert plain.errors() == beside.errors()
    assert np.array_equal(plain.confusion(), beside.confusion())
    assert plain.report().equals(beside.report())
    assert plain.per_speaker().equals(beside.per_speaker())
    assert np.array_equal(plain.confidence, beside.confidence, equal_nan=True)
    assert len(beside.with_recordings([tiny_corpus]).other_words) == 3


def test_confidence_is_the_likeliest_digits_probability():
    result = Evaluation(
        some_clips()[:2], certain([4, None]), other_words=certain([None, 1, 2])
    )
    assert result.confidence == pytest.approx([0.91, np.nan], nan_ok=True)
    assert result.other_confidence == pytest.approx([np.nan, 0.91, 0.91], nan_ok=True)
    assert (result.confidence >= 0).tolist() == [True, False]


def test_other_words_are_checked_like_clips():
    clips, rows = some_clips()[:1], certain([0])
    for others in (np.zeros((3, 9), np.float32), np.zeros(10, np.float32)):
        with pytest.raises(ModelError, match="other words have shape"):
            Evaluation(clips, rows, other_words=others)
    with pytest.raises(ModelError, match="expected \\(2, 10\\)"):
        Evaluation(clips, rows, other_words=certain([1]), other_word_names=("a", "b"))
    with pytest.raises(ModelError, match="sum to 1"):
        Evaluation(clips, rows, other_words=np.full((1, 10), 0.2, np.float32))


def test_a_figure_from_few_people_is_said_to_be_one():
    assert few_speakers({"bert", "anna"}).startswith(
        "All of these clips are by 2 speakers (anna, bert). The interval holds for"
    )
    assert "one speaker (anna)" in few_speakers({"anna"})
    assert few_speakers({"anna", "bert", "carl", "dora"}) == ""
    assert few_speakers({"unknown"}).startswith("Who speaks in these clips is not")
    assert few_speakers({"unknown", "anna"}).startswith("Besides one speaker (anna),")
    assert few_speakers({"anna", "bert", "carl", "dora", "unknown"}) == ""
