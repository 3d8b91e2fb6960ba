from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from answered import evaluation_of, some_clips
from nearest_model import NearestModel

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.corpora.clips import Clip, load_audio
from audiomnist.corpora.library import import_corpus, load_corpus
from audiomnist.errors import CorpusError, ModelError
from audiomnist.evaluation.evaluate import evaluate, mcnemar
from audiomnist.evaluation.files import load_evaluation, save_evaluation


def _model(clips) -> NearestModel:
    words = [[load_audio(c) for c in clips if c.digit == digit] for digit in range(10)]
    return NearestModel(words)


def test_two_models_are_compared_wherever_the_clips_lie_and_in_any_order():
    a = evaluation_of({0: 5, 1: 5, 2: None, 3: 4})
    clips = tuple(
        Clip(clip.digit, clip.speaker, clip.take, Path("elsewhere") / clip.name)
        for clip in some_clips()[::-1]
    )
    b = evaluation_of({59: 9, 40: 0}, clips)  # the first of `a` and another
    result = mcnemar(a, b)
    assert (result.n, result.only_a, result.only_b) == (60, 1, 3)


@pytest.mark.parametrize("change", [lambda c: c[1:], lambda c: c + c[:1]])
def test_evaluations_of_other_clips_are_not_compared(change):
    few = some_clips()[:10]
    other = change(few)
    n_common = len(set(few).intersection(other))
    message = rf"10 and {len(other)}, of which {n_common} are the same"
    with pytest.raises(ModelError, match=message):
        mcnemar(evaluation_of(clips=few), evaluation_of(clips=other))


def test_clips_that_are_called_alike_are_each_compared():
    clips = some_clips()[:1] * 2
    twice = mcnemar(evaluation_of(clips=clips), evaluation_of({0: 7, 1: 7}, clips))
    assert (twice.n, twice.only_a) == (2, 2)


def test_clips_of_two_corpora_are_not_the_same_by_their_names(tmp_path):
    ours, theirs = (
        tuple(replace(clip, corpus=name) for clip in some_clips())
        for name in ("ours", "theirs")
    )
    with pytest.raises(ModelError, match="of which 0 are the same"):
        mcnemar(evaluation_of(clips=ours), evaluation_of(clips=theirs))
    both = evaluation_of({0: 5, 60: 6, 61: 6}, ours + theirs)
    other = evaluation_of({61: 6}, ours + theirs)
    result = mcnemar(both, other)
    assert (result.n, result.only_a, result.only_b) == (120, 0, 2)
    save_evaluation(both, tmp_path)
    assert mcnemar(load_evaluation(tmp_path), other) == result


def test_models_without_common_clips_cannot_be_compared():
    clips = tuple(clip for clip in some_clips() if clip.take == 0)
    others = tuple(clip for clip in some_clips() if clip.take == 1)
    with pytest.raises(ModelError, match="of which 0 are the same"):
        mcnemar(evaluation_of(clips=clips), evaluation_of(clips=others))


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


def test_evaluate_predicts_other_words_beside_the_clips(tmp_path, tiny_corpus):
    silence = encode_wav(Audio(np.zeros(8000, np.float32), 8000))
    (tmp_path / "0_noise_0.wav").write_bytes(silence)
    others = [*load_corpus(tmp_path).clips, *tiny_corpus.clips[:2]]
    model, clips = _model(tiny_corpus.clips), tiny_corpus.clips[60:]
    alone = evaluate(model, clips)
    seen = []
    beside = evaluate(
        model,
        clips,
        other_words=others,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert np.array_equal(beside.probabilities, alone.probabilities)
    assert beside.clips == alone.clips
    assert beside.other_word_names == tuple(clip.name for clip in others)
    assert np.isnan(beside.other_words[0]).all()
    same = evaluate(model, tiny_corpus.clips[:2]).probabilities
    assert np.allclose(beside.other_words[1:], same, atol=1e-6)
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
