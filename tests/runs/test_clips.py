"""The recordings of a run: those of its settings, listed no more often than needed."""

from collections import Counter
from dataclasses import replace

import pytest

from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora import library, other_words
from audiomnist.corpora.library import available, import_corpus, load_corpus
from audiomnist.corpora.other_words import load_other_words
from audiomnist.errors import CorpusError, RunError
from audiomnist.features.config import FeatureConfig
from audiomnist.networks.ann import AnnConfig
from audiomnist.runs.clips import remove_unused_corpus, resolve_clips
from audiomnist.runs.config import RunConfig
from audiomnist.runs.execution import execute_run
from audiomnist.runs.folder import create_run
from audiomnist.runs.queue import cancel_run
from audiomnist.settings import settings
from audiomnist.training.config import TrainConfig


@pytest.fixture
def config(tiny_folder) -> RunConfig:
    return RunConfig(corpora=(str(tiny_folder),), split_rule="random")


def test_the_clips_are_those_of_the_settings(config, tiny_corpus):
    clips = resolve_clips(config)
    assert clips == resolve_clips(config)
    assert clips.corpora == {config.corpora[0]: tiny_corpus}
    assert clips.split == config.split([tiny_corpus])
    assert clips.words == {"embedded": load_other_words("embedded")}
    parts = [clip for part in clips.split_words.values() for clip in part]
    assert sorted(parts) == list(clips.words["embedded"])
    with pytest.raises(CorpusError, match="no corpus or folder 'nothing'"):
        resolve_clips(replace(config, corpora=("nothing",)))
    with pytest.raises(CorpusError, match="no other words 'nothing'"):
        resolve_clips(replace(config, others=("nothing",)))


def test_a_run_that_learns_no_other_words_needs_none(config):
    training = TrainConfig(others_part=0.0)
    clips = resolve_clips(replace(config, others=("nothing",), training=training))
    assert clips.words == {}
    assert set(clips.split_words.values()) == {()}


def test_a_test_speaker_says_other_words_only_in_the_test(config, spoken):
    folder = settings().other_words / "said"
    folder.mkdir(parents=True)
    for number in range(4):
        path = folder / f"tree_voice{number}_0.wav"
        path.write_bytes(encode_wav(spoken(3, number)))
    clips = resolve_clips(replace(config, split_rule="speaker", others=("said",)))
    testing = {clip.speaker for clip in clips.split.test}
    assert {clip.speaker for clip in clips.split_words["test"]} == testing


@pytest.mark.parametrize(
    ("rule", "held_out", "is_tested"),
    [
        ("random", "", True),
        ("speaker", "", True),
        ("official", "", False),
        ("leave_one_out", "voice1", True),
        ("leave_one_out", "somebody else", False),
        ("corpus", "tiny", True),
        ("corpus", "embedded", False),
    ],
)
def test_one_corpus_is_split_as_among_the_others(
    tiny_folder, rule, held_out, is_tested
):
    import_corpus("tiny", tiny_folder)
    config = RunConfig(corpora=("embedded", "tiny"), split_rule=rule, held_out=held_out)
    alone = config.split_one(load_corpus("tiny"))
    assert bool(alone.test) == is_tested
    assert sum(map(len, alone.parts.values())) == 120
    if rule == "official" or held_out == "somebody else":
        with pytest.raises(CorpusError, match=r"official test part|to hold out"):
            resolve_clips(config)
        return
    tested = resolve_clips(config).split.test
    assert tuple(clip for clip in tested if clip.corpus == "tiny") == alone.test


@pytest.mark.slow
def test_a_run_lists_each_folder_once(config, tiny_folder, spoken, monkeypatch):
    words = settings().other_words / "said"
    words.mkdir(parents=True)
    for number in range(12):
        path = words / f"tree_person{number}_0.wav"
        path.write_bytes(encode_wav(spoken(3, number)))
    training = TrainConfig(epochs=1, synthetic_weight=0.5, speaker_balance=0.5)
    run = create_run(
        replace(
            config,
            others=("said",),
            features=FeatureConfig(n_mels=16, n_mfcc=16, n_frames=16),
            network=AnnConfig(hidden=(16,)),
            training=training,
        )
    )
    n_listings: Counter[str] = Counter()
    in_folder, folder_of = library.clips_in_folder, other_words._folder

    def list_corpus(folder):
        n_listings[str(folder)] += 1
        return in_folder(folder)

    def find_words(name):
        n_listings[name] += 1
        return folder_of(name)

    monkeypatch.setattr(library, "clips_in_folder", list_corpus)
    monkeypatch.setattr(other_words, "_folder", find_words)
    execute_run(run)
    assert run.state == "finished"
    assert n_listings == {str(tiny_folder): 1, "said": 1}


def test_a_corpus_is_not_removed_while_a_run_needs_it(tiny):
    run = create_run(RunConfig(corpora=("embedded", tiny), title="Mine"))
    with pytest.raises(RunError, match="needed by the run 'Mine', which is waiting"):
        remove_unused_corpus(tiny)
    assert load_corpus(tiny).clips
    cancel_run(run)
    remove_unused_corpus(tiny)
    assert tiny not in available()
