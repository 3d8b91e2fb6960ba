"""How shipped models are made: settings, steps that are done once, calibration."""

import json
from dataclasses import replace

import pytest
from small import shrink_recipes, write_fsdd

from audiomnist import recipes
from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora.other_words import load_others
from audiomnist.errors import RunError
from audiomnist.recognition.models import find_model
from audiomnist.runs.execution import evaluate_run, execute_run
from audiomnist.runs.folder import find_run, list_runs
from audiomnist.settings import settings

SPEAKERS = ("anna", "bert", "carl", "dora", "emil")


@pytest.fixture
def corpora(tmp_path, monkeypatch, spoken) -> dict[str, tuple[str, ...]]:
    """A small corpus with an official test part, and some other words."""
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "shipped"))
    write_fsdd(SPEAKERS, monkeypatch)
    words = settings().others / "words"
    words.mkdir(parents=True)
    for who, speaker in enumerate(SPEAKERS):
        (words / f"tree_{speaker}_0.wav").write_bytes(encode_wav(spoken(3, who)))
    return {"corpora": ("fsdd",), "others": ("words",)}


@pytest.fixture
def small(monkeypatch):
    """Recipes of one epoch for a network of few weights."""
    shrink_recipes(
        monkeypatch,
        lambda config: replace(config, training=replace(config.training, epochs=1)),
    )


@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_recipe_trains_on_all_that_is_here(name, corpora) -> None:
    config = recipes.recipe(name)
    assert config.corpora == ("embedded", "fsdd")
    assert config.others == ("embedded", "words")
    assert config.network.kind == recipes.NAMES[name]
    assert config.network.n_others > 0
    assert config.training.augmentation is not None
    assert config.split_rule == "official"


def test_the_cnn_learns_from_a_teacher_that_sees_what_it_sees(corpora) -> None:
    small, best = recipes.recipe("cnn"), recipes.recipe("best")
    assert 0 < small.training.taught_part < 1
    assert best.training.taught_part == 0
    assert small.features == best.features


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(RunError, match="no recipe 'worst'"):
        recipes.recipe("worst")


@pytest.mark.slow
def test_a_recipe_ships_a_model_calibrated_on_strangers(corpora, small) -> None:
    steps = []
    folder = recipes.follow(
        "ann",
        **corpora,
        on_step=lambda step, n_steps, run: steps.append((step, n_steps, run.id)),
        on_epoch=lambda metrics: None,
    )
    assert [step[:2] for step in steps] == [(1, 2), (2, 2)]
    apart, everything = (find_run(run_id) for _, _, run_id in steps)
    assert apart.config.split_rule == "speaker"
    assert everything.config.split_rule == "official"
    record = json.loads((folder / "run.json").read_text())
    assert record["id"] == everything.id
    assert record["calibration"]["run"] == apart.id
    test = apart.config.split().test
    assert record["calibration"]["n_clips"] == len(test)
    assert record["calibration"]["n_speakers"] == len({clip.speaker for clip in test})
    assert find_model("ann").threshold == record["calibration"]["threshold"]
    testing = {clip.speaker for clip in test}
    said = [clip for clip in load_others("words") if clip.speaker in testing]
    assert record["calibration"]["n_words"] == len(said) > 0
    assert 0 <= record["calibration"]["n_words_answered"] <= len(said)


@pytest.mark.slow
def test_without_recorded_words_of_strangers_none_are_counted(corpora, small) -> None:
    run = recipes.find_or_create(
        recipes.recipe("ann", corpora["corpora"], ("embedded",))
    )
    execute_run(run, evaluate_run)
    measured = recipes.calibrate(run)
    assert (measured.n_words, measured.n_words_answered) == (0, 0)
    assert measured.n_clips > 0


@pytest.mark.slow
def test_what_is_done_already_is_not_done_again(corpora, small) -> None:
    def silent(*arguments):
        epochs.append(arguments)

    epochs: list[tuple] = []
    for _ in range(2):
        recipes.follow("ann", **corpora, on_step=lambda *_: None, on_epoch=silent)
    assert len(epochs) == 2  # one epoch of each run
    assert len(list_runs()) == 2


def test_a_run_that_waits_already_is_not_begun_twice(corpora, small) -> None:
    config = recipes.recipe("ann", **corpora)
    first = recipes.find_or_create(config)
    assert recipes.find_finished(config) is None
    renamed = replace(config, title="The same")
    with pytest.raises(RunError, match=f"{first.id} of this recipe is waiting"):
        recipes.find_or_create(renamed)
    with pytest.raises(RunError, match=f"{first.id} of this recipe is waiting already"):
        recipes.find_or_create(config)
