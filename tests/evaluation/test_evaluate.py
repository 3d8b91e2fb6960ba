import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nearest_model import NearestModel

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.corpora.clips import Clip, load_audio
from audiomnist.corpora.library import import_corpus, load_corpus
from audiomnist.errors import CorpusError, ModelError
from audiomnist.evaluation.evaluate import evaluate, mcnemar
from audiomnist.evaluation.files import FILE_NAME, load_evaluation, save_evaluation
from audiomnist.evaluation.metrics import NO_ANSWER, Evaluation, few_speakers
from audiomnist.recognition.models import find_model
from audiomnist.settings import REPOSITORY

SHIPPED = sorted(path.parent.name for path in REPOSITORY.glob("models/*/run.json"))


def _clips(n_takes: int = 3) -> tuple[Clip, ...]:
    return tuple(
        Clip(digit, speaker, take, Path("folder") / f"{digit}_{speaker}_{take}.wav")
        for digit in range(10)
        for speaker in ("anna", "ben")
        for take in range(n_takes)
    )


def _certain(digits) -> np.ndarray:
    """Probabilities of a model that is nearly sure of these digits; None: no speech."""
    rows = np.full((len(digits), 10), 0.01, dtype=np.float32)
    for row, digit in zip(rows, digits, strict=True):
        if digit is None:
            row[:] = np.nan
        else:
            row[digit] = 0.91
    return rows


def _evaluation(change=None, clips=None) -> Evaluation:
    """An evaluation without mistakes but for those in `change`: index -> answer."""
    clips = clips or _clips()
    digits = [clip.digit for clip in clips]
    for index, answer in (change or {}).items():
        digits[index] = answer
    return Evaluation(clips, _certain(digits))


def _model(clips) -> NearestModel:
    words = [[load_audio(c) for c in clips if c.digit == digit] for digit in range(10)]
    return NearestModel(words)


def test_a_model_without_mistakes():
    result = _evaluation()
    assert result.accuracy.value == 1
    assert result.accuracy.high == 1
    assert result.accuracy.low < 1
    assert result.errors() == []
    assert np.array_equal(result.confusion()[:, :10], np.eye(10) * 6)
    assert (result.report()["f1"] == 1).all()


def test_a_model_that_is_always_wrong():
    wrong = {i: (clip.digit + 1) % 10 for i, clip in enumerate(_clips())}
    result = _evaluation(wrong)
    assert result.accuracy.value == 0
    assert len(result.errors()) == 60
    assert np.trace(result.confusion()) == 0
    assert (result.report().loc["macro avg", ["precision", "recall", "f1"]] == 0).all()


def test_confusion_rows_sum_to_the_support():
    result = _evaluation({0: 7, 5: None, 30: 1, 31: 1})
    matrix = result.confusion()
    assert matrix.shape == (10, 11)
    support = result.report()["support"][[str(digit) for digit in range(10)]]
    assert matrix.sum(axis=1).tolist() == support.tolist()
    assert matrix[0, 7] == 1
    assert matrix[5, 1] == 2
    assert matrix[:, 10].tolist() == [1, *[0] * 9]


def test_report_follows_from_the_confusion_matrix():
    result = _evaluation({0: 7, 5: None, 30: 1, 31: 1})
    matrix, report = result.confusion(), result.report()
    for digit in range(10):
        row = report.loc[str(digit)]
        assert row["recall"] == matrix[digit, digit] / matrix[digit].sum()
        assert row["precision"] == matrix[digit, digit] / matrix[:, digit].sum()


def test_a_clip_without_speech_is_a_mistake_without_an_answer():
    result = _evaluation({3: None, 10: 8})
    assert result.accuracy.successes == 58
    assert result.predicted[3] == NO_ANSWER
    sure, silent = result.errors()
    assert (sure.clip, sure.answer) == (result.clips[10], 8)
    assert sure.probability == pytest.approx(0.91)
    assert (silent.clip, silent.answer) == (result.clips[3], None)


def test_errors_come_surest_first():
    clips = _clips()[:3]
    rows = np.full((3, 10), 0.0, dtype=np.float32)
    rows[:, 5] = 0.5, 0.9, 0.7
    rows[:, 6] = 1 - rows[:, 5]
    order = [mistake.clip for mistake in Evaluation(clips, rows).errors()]
    assert order == [clips[1], clips[2], clips[0]]


def test_digits_that_nobody_said_do_not_lower_the_report():
    clips = tuple(clip for clip in _clips() if clip.digit < 3)
    report = _evaluation(clips=clips).report()
    assert list(report.index) == ["0", "1", "2", "macro avg", "weighted avg"]
    assert report.loc["macro avg", "f1"] == 1


def test_accuracy_of_each_speaker():
    result = _evaluation({0: 9, 3: 9, 6: None})
    table = result.per_speaker().set_index("speaker")
    assert list(table.index) == ["anna", "ben"]
    assert (table["n"] == 30).all()
    assert table.loc["anna", "accuracy"] == 28 / 30
    assert table.loc["ben", "accuracy"] == 29 / 30
    assert (table["low"] < table["accuracy"]).all()
    assert (table["accuracy"] < table["high"]).all()


def test_probabilities_must_fit_the_clips():
    with pytest.raises(ModelError, match="expected \\(60, 10\\)"):
        Evaluation(_clips(), np.zeros((3, 10), np.float32))
    with pytest.raises(ModelError, match="sum to 1"):
        Evaluation(_clips()[:1], np.zeros((1, 10), np.float32))
    half = np.full((1, 10), 0.1, np.float32)
    half[0, 0] = np.nan
    with pytest.raises(ModelError, match="sum to 1"):
        Evaluation(_clips()[:1], half)


def test_save_and_load_give_the_same_evaluation(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(10, 0.05), 60).astype(np.float32)
    rows[7] = np.nan
    saved = Evaluation(_clips(), rows, ("fsdd",))
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
        for clip, row in zip(_clips(), rows, strict=True)
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
    saved = Evaluation(_clips()[:1], close, others=close)
    text = save_evaluation(saved, tmp_path).read_text()
    assert ", " not in text and ": " not in text
    loaded = load_evaluation(tmp_path)
    assert loaded.predicted.tolist() == saved.predicted.tolist() == [8]
    assert loaded.others.argmax(axis=1).tolist() == [8]
    rng = np.random.default_rng(0)
    rows = rng.dirichlet(np.full(10, 0.05), 60).astype(np.float32)
    text = save_evaluation(Evaluation(_clips(), rows), tmp_path).read_text()
    numbers = re.findall(r"\d+(?:\.\d+)?(?=e|[,\]])", text.partition("clips")[2])
    lengths = [len(number.replace(".", "").strip("0")) for number in numbers]
    # The likeliest is written exactly: whether it is answered hangs on it.
    assert sum(length > 4 for length in lengths) <= len(rows)
    again = load_evaluation(tmp_path)
    np.testing.assert_array_equal(again.confidence, rows.max(axis=1))


def test_other_sounds_change_no_metric_of_digits(tiny_corpus):
    clips = tiny_corpus.clips
    rows = _certain([3, None, *(clip.digit for clip in clips[2:])])
    plain = Evaluation(clips, rows)
    beside = Evaluation(clips, rows, others=_certain([3, None, 7]))
    assert plain.others.shape == (0, 10)
    assert plain.accuracy == beside.accuracy
    assert plain.errors() == beside.errors()
    assert np.array_equal(plain.confusion(), beside.confusion())
    assert plain.report().equals(beside.report())
    assert plain.per_speaker().equals(beside.per_speaker())
    assert np.array_equal(plain.confidence, beside.confidence, equal_nan=True)
    assert len(beside.with_recordings([tiny_corpus]).others) == 3


def test_confidence_is_the_likeliest_digits_probability():
    result = Evaluation(
        _clips()[:2], _certain([4, None]), others=_certain([None, 1, 2])
    )
    assert result.confidence == pytest.approx([0.91, np.nan], nan_ok=True)
    assert result.other_confidence == pytest.approx([np.nan, 0.91, 0.91], nan_ok=True)
    assert (result.confidence >= 0).tolist() == [True, False]


def test_other_sounds_are_checked_like_clips():
    clips, rows = _clips()[:1], _certain([0])
    for others in (np.zeros((3, 9), np.float32), np.zeros(10, np.float32)):
        with pytest.raises(ModelError, match="no digits have shape"):
            Evaluation(clips, rows, others=others)
    with pytest.raises(ModelError, match="expected \\(2, 10\\)"):
        Evaluation(clips, rows, others=_certain([1]), other_names=("a", "b"))
    with pytest.raises(ModelError, match="sum to 1"):
        Evaluation(clips, rows, others=np.full((1, 10), 0.2, np.float32))


@pytest.mark.parametrize("names", [("bed_0.wav", "Tür_1.wav", "noise.wav"), ()])
def test_other_sounds_are_saved_and_loaded(tmp_path, names):
    rng = np.random.default_rng(0)
    others = rng.dirichlet(np.full(10, 0.05), 3).astype(np.float32)
    others[1] = np.nan
    rows = _certain([clip.digit for clip in _clips()])
    saved = Evaluation(_clips(), rows, ("fsdd",), others, names)
    save_evaluation(saved, tmp_path)
    loaded = load_evaluation(tmp_path)
    np.testing.assert_allclose(loaded.others, others, rtol=6e-4)
    assert loaded.others.dtype == np.float32
    assert loaded.other_names == names
    np.testing.assert_allclose(loaded.probabilities, rows, rtol=6e-4)
    assert loaded.corpora == ("fsdd",)


def test_a_file_without_other_sounds_is_as_it_always_was(tmp_path):
    path = save_evaluation(_evaluation(), tmp_path)
    assert set(json.loads(path.read_text())) == {"format", "corpora", "clips"}
    loaded = load_evaluation(tmp_path)
    assert loaded.others.shape == (0, 10)
    assert loaded.other_names == ()


def test_the_file_names_no_folder(tmp_path, tiny_folder, tiny_corpus):
    clips = tiny_corpus.clips
    save_evaluation(_evaluation(clips=clips), tmp_path)
    text = (tmp_path / FILE_NAME).read_text()
    assert str(tiny_folder) not in text
    assert "\\" not in text
    assert "/" not in text
    json.loads(text)


def test_a_name_in_the_file_leads_nowhere_else(tmp_path):
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"x")
    path = save_evaluation(_evaluation(), tmp_path)
    content = json.loads(path.read_text())
    content["clips"][0]["name"] = str(secret)
    path.write_text(json.dumps(content))
    assert not load_evaluation(tmp_path).clips[0].path.exists()


def test_recordings_of_a_corpus_that_is_here_are_found_again(tmp_path, tiny_folder):
    corpus = import_corpus("ours", tiny_folder).corpus
    clips = corpus.clips
    rows = _certain([clip.digit for clip in clips])
    save_evaluation(Evaluation(clips, rows, ("ours", "elsewhere")), tmp_path)
    assert load_evaluation(tmp_path).clips == clips


def test_recordings_in_a_folder_are_found_when_it_is_given(tmp_path, tiny_corpus):
    clips = tiny_corpus.clips
    save_evaluation(_evaluation(clips=clips), tmp_path)
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
        save_evaluation(_evaluation(), tmp_path / "missing")


def test_two_models_are_compared_wherever_the_clips_lie_and_in_any_order():
    a = _evaluation({0: 5, 1: 5, 2: None, 3: 4})
    clips = tuple(
        Clip(clip.digit, clip.speaker, clip.take, Path("elsewhere") / clip.name)
        for clip in _clips()[::-1]
    )
    b = _evaluation({59: 9, 40: 0}, clips)  # the first of `a` and another
    result = mcnemar(a, b)
    assert (result.n, result.only_a, result.only_b) == (60, 1, 3)


@pytest.mark.parametrize("change", [lambda c: c[1:], lambda c: c + c[:1]])
def test_evaluations_of_other_clips_are_not_compared(change):
    few = _clips()[:10]
    other = change(few)
    n_common = len(set(few).intersection(other))
    message = rf"10 and {len(other)}, of which {n_common} are the same"
    with pytest.raises(ModelError, match=message):
        mcnemar(_evaluation(clips=few), _evaluation(clips=other))


def test_clips_that_are_called_alike_are_each_compared():
    clips = _clips()[:1] * 2
    twice = mcnemar(_evaluation(clips=clips), _evaluation({0: 7, 1: 7}, clips))
    assert (twice.n, twice.only_a) == (2, 2)


def test_clips_of_two_corpora_are_not_the_same_by_their_names(tmp_path):
    ours, theirs = (
        tuple(replace(clip, corpus=name) for clip in _clips())
        for name in ("ours", "theirs")
    )
    with pytest.raises(ModelError, match="of which 0 are the same"):
        mcnemar(_evaluation(clips=ours), _evaluation(clips=theirs))
    both = _evaluation({0: 5, 60: 6, 61: 6}, ours + theirs)
    other = _evaluation({61: 6}, ours + theirs)
    result = mcnemar(both, other)
    assert (result.n, result.only_a, result.only_b) == (120, 0, 2)
    save_evaluation(both, tmp_path)
    assert mcnemar(load_evaluation(tmp_path), other) == result


def test_a_file_that_names_only_the_corpora_of_all_is_understood(tmp_path, tiny_folder):
    here = import_corpus("here", tiny_folder).corpus.clips
    away = tuple(replace(clip, corpus="away") for clip in _clips())
    saved = Evaluation(
        here + away,
        _certain([clip.digit for clip in here + away]),
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


def test_models_without_common_clips_cannot_be_compared():
    clips = tuple(clip for clip in _clips() if clip.take == 0)
    others = tuple(clip for clip in _clips() if clip.take == 1)
    with pytest.raises(ModelError, match="of which 0 are the same"):
        mcnemar(_evaluation(clips=clips), _evaluation(clips=others))


def test_evaluate_hears_each_clip(tiny_corpus):
    train = [clip for clip in tiny_corpus.clips if clip.take > 0]
    test = [clip for clip in tiny_corpus.clips if clip.take == 0]
    seen = []
    result = evaluate(
        _model(train),
        test,
        corpora=("tiny",),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert result.clips == tuple(test)
    assert result.corpora == ("tiny",)
    assert result.accuracy.value > 0.8
    assert seen[-1] == (len(test), len(test))


def test_evaluate_counts_a_silent_recording_as_wrong(tmp_path, tiny_corpus):
    silence = encode_wav(Audio(np.zeros(8000, np.float32), 8000))
    (tmp_path / "0_anna_0.wav").write_bytes(silence)
    clips = [*tiny_corpus.clips[:20], *load_corpus(tmp_path).clips]
    result = evaluate(_model(tiny_corpus.clips), clips)
    assert np.isnan(result.probabilities[20]).all()
    assert result.is_answered.tolist() == [*[True] * 20, False]
    assert result.confusion()[0, 10] == 1


def test_evaluate_on_silence_alone(tmp_path, tiny_corpus):
    silence = encode_wav(Audio(np.zeros(8000, np.float32), 8000))
    (tmp_path / "0_anna_0.wav").write_bytes(silence)
    clips = load_corpus(tmp_path).clips
    assert evaluate(_model(tiny_corpus.clips), clips).accuracy.value == 0


def test_evaluate_hears_other_sounds_beside_the_clips(tmp_path, tiny_corpus):
    silence = encode_wav(Audio(np.zeros(8000, np.float32), 8000))
    (tmp_path / "0_noise_0.wav").write_bytes(silence)
    others = [*load_corpus(tmp_path).clips, *tiny_corpus.clips[:2]]
    model, clips = _model(tiny_corpus.clips), tiny_corpus.clips[60:]
    alone = evaluate(model, clips)
    seen = []
    beside = evaluate(
        model,
        clips,
        others=others,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert np.array_equal(beside.probabilities, alone.probabilities)
    assert beside.clips == alone.clips
    assert beside.other_names == tuple(clip.name for clip in others)
    assert np.isnan(beside.others[0]).all()
    same = evaluate(model, tiny_corpus.clips[:2]).probabilities
    assert np.allclose(beside.others[1:], same, atol=1e-6)
    assert seen[-1] == (63, 63)


def test_evaluate_needs_clips(tiny_corpus):
    with pytest.raises(CorpusError, match="no clip"):
        evaluate(_model(tiny_corpus.clips), [])


@pytest.mark.slow
def test_a_run_is_evaluated_on_its_test_part(tiny_folder):
    from audiomnist.networks.ann import AnnConfig
    from audiomnist.runs.config import RunConfig
    from audiomnist.runs.execution import execute_run
    from audiomnist.runs.folder import create_run
    from audiomnist.training.config import TrainConfig

    import_corpus("ours", tiny_folder)
    config = RunConfig(
        corpora=("ours",),
        network=AnnConfig(hidden=(16,)),
        training=TrainConfig(epochs=2),
    )
    run = create_run(config)
    execute_run(run)
    saved = load_evaluation(run.folder)
    assert saved.clips == config.split([load_corpus("ours")]).test
    assert saved.corpora == ("ours",)


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


def test_a_figure_from_few_people_is_said_to_be_one():
    assert few_speakers({"bert", "anna"}).startswith(
        "All of these clips are by 2 speakers (anna, bert): the interval is about"
    )
    assert "one speaker (anna)" in few_speakers({"anna"})
    assert few_speakers({"anna", "bert", "carl", "dora"}) == ""
