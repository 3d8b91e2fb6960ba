"""How shipped models are made: settings, steps that are done once, calibration."""

from dataclasses import replace

import pytest
from small import shrink_recipes, write_fsdd

from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora.other_words import load_other_words
from audiomnist.errors import RunError
from audiomnist.recipes.models import (
    RECIPES,
    find_finished,
    find_or_create,
    find_recipe,
    follow,
    measure_unknown_speakers,
)
from audiomnist.recognition.models import find_model
from audiomnist.runs.clips import resolve_clips
from audiomnist.runs.execution import execute_run
from audiomnist.runs.folder import find_run, list_runs
from audiomnist.runs.record import read_record
from audiomnist.settings import settings

SPEAKERS = ("anna", "bert", "carl", "dora", "emil")


@pytest.fixture
def corpora(tmp_path, monkeypatch, spoken) -> dict[str, tuple[str, ...]]:
    """A small corpus with an official test part, and some other words."""
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "shipped"))
    write_fsdd(SPEAKERS, monkeypatch)
    words = settings().other_words / "words"
    words.mkdir(parents=True)
    for who, speaker in enumerate(SPEAKERS):
        (words / f"tree_{speaker}_0.wav").write_bytes(encode_wav(spoken(3, who)))
    return {"corpora": ("fsdd",), "other_words": ("words",)}


@pytest.fixture
def small(monkeypatch):
    """Recipes of one epoch for a network of few weights."""
    shrink_recipes(
        monkeypatch,
        lambda config: replace(config, training=replace(config.training, epochs=1)),
    )


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_on_all_that_is_here(name, corpora) -> None:
    config = find_recipe(name).config()
    assert config.corpora == ("embedded", "fsdd")
    assert config.others == ("embedded", "words")
    assert config.network.kind == RECIPES[name].network.kind
    assert config.network.n_others > 0
    assert config.training.augmentation is not None
    assert config.split_rule == "official"


def test_the_cnn_learns_from_a_teacher_that_sees_what_it_sees(corpora) -> None:
    small, best = find_recipe("cnn").config(), find_recipe("best").config()
    assert 0 < small.training.taught_part < 1
    assert best.training.taught_part == 0
    assert small.features == best.features


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(RunError, match="no recipe 'worst'"):
        find_recipe("worst")


@pytest.mark.slow
def test_a_recipe_ships_a_model_calibrated_on_strangers(corpora, small) -> None:
    steps, epochs = [], []

    def follow_ann():
        return follow(
            "ann",
            **corpora,
            on_step=lambda step, n_steps, run: steps.append((step, n_steps, run.id)),
            on_epoch=epochs.append,
        )

    folder = follow_ann()
    assert [step[:2] for step in steps] == [(1, 2), (2, 2)]
    assert len(epochs) == 2, "one of each run"
    apart, everything = (find_run(run_id) for _, _, run_id in steps)
    assert apart.config.split_rule == "speaker"
    assert everything.config.split_rule == "official"
    record = read_record(folder)
    strangers = record.strangers
    assert record.id == everything.id
    assert strangers.run == apart.id
    test = resolve_clips(apart.config).split.test
    assert strangers.n_clips == len(test)
    assert strangers.n_speakers == len({clip.speaker for clip in test})
    assert find_model("ann").calibration.threshold == strangers.calibration.threshold
    testing = {clip.speaker for clip in test}
    said = [clip for clip in load_other_words("words") if clip.speaker in testing]
    assert strangers.n_words == len(said) > 0
    assert 0 <= strangers.n_words_answered <= len(said)
    again = follow_ann()
    assert again == folder
    assert len(epochs) == len(list_runs()) == 2, "what is done is not done again"


@pytest.mark.slow
def test_without_recorded_words_of_strangers_none_are_counted(corpora, small) -> None:
    run = find_or_create(find_recipe("ann").config(corpora["corpora"], ("embedded",)))
    execute_run(run)
    measured = measure_unknown_speakers(run)
    assert (measured.n_words, measured.n_words_answered) == (0, 0)
    assert measured.n_clips > 0


def test_a_run_that_waits_already_is_not_begun_twice(corpora, small) -> None:
    config = find_recipe("ann").config(**corpora)
    first = find_or_create(config)
    assert find_finished(config) is None
    renamed = replace(config, title="The same")
    with pytest.raises(RunError, match=f"{first.id} of this recipe is waiting"):
        find_or_create(renamed)
    with pytest.raises(RunError, match=f"{first.id} of this recipe is waiting already"):
        find_or_create(config)
