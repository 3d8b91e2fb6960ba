"""Benchmarks that train: which runs they ask for, and what their tables say."""

from dataclasses import replace
from typing import Any

import pytest
from small import shrink_recipes, write_fsdd

from audiomnist.benchmark import ablation, protocol
from audiomnist.corpora.library import import_corpus
from audiomnist.recipes.models import RECIPES, find_recipe
from audiomnist.runs.clips import resolve_clips
from audiomnist.runs.folder import list_runs

SPEAKERS = ("anna", "bert", "carl")
RULES = ("random", "leave_one_out", "corpus")


@pytest.fixture(autouse=True)
def corpora(monkeypatch, tiny_folder) -> None:
    """A small corpus in the dataset's place, and other people's recordings."""
    write_fsdd(SPEAKERS, monkeypatch)
    import_corpus("people", tiny_folder)


@pytest.fixture
def small(monkeypatch) -> None:
    """Recipes for a network of few weights, without other words."""
    shrink_recipes(
        monkeypatch,
        lambda config: replace(
            config, training=replace(config.training, others_part=0.0), others=()
        ),
    )


@pytest.mark.parametrize("name", RECIPES)
def test_the_protocol_splits_by_chance_by_speaker_and_by_corpus(name) -> None:
    configs = protocol._configs(name, quick=False)
    by_rule = {rule: [c for c in configs if c.split_rule == rule] for rule in RULES}
    assert sum(map(len, by_rule.values())) == len(configs)
    alone = by_rule["random"]
    assert {config.corpora for config in alone} == {("fsdd",)}
    assert [config.split_seed for config in alone] == [0, 1, 2, 3, 4]
    assert [config.training.seed for config in alone] == [0, 1, 2, 3, 4]
    assert {c.held_out for c in by_rule["leave_one_out"]} == set(SPEAKERS)
    # Without the dataset, and on it alone: made voices are nobody to be tested on.
    assert [(c.corpora, c.held_out) for c in by_rule["corpus"]] == [
        (("embedded", "fsdd", "people"), "fsdd"),
        (("fsdd", "people"), "people"),
    ]
    for config in configs:
        split = resolve_clips(config).split
        if config.split_rule != "random":
            training = {(clip.corpus, clip.speaker) for clip in split.train}
            assert not training & {(clip.corpus, clip.speaker) for clip in split.test}


@pytest.mark.slow
def test_the_protocol_trains_once_and_tests_on_what_is_held_out(small) -> None:
    assert protocol.measure(quick=True, saved=True)["runs"] == []
    measured = protocol.measure(quick=True)
    assert [run["rule"] for run in measured["runs"]] == ["random", "leave_one_out"]
    for run in measured["runs"]:
        speakers = run["speakers"].values()
        assert sum(n for _, n in speakers) == run["n"] > 0
        assert sum(n_correct for n_correct, _ in speakers) == run["n_correct"]
        assert 0.95 * run["n"] - 1 < run["n_sure"] <= run["n"]  # equals stay together
        assert 0 <= run["n_sure_correct"] <= run["n_sure"]
    assert list(measured["runs"][1]["speakers"]) == [measured["runs"][1]["held_out"]]
    assert protocol.measure(quick=True, saved=True) == measured
    assert len(list_runs()) == 2


def run_of(rule: str, held_out: str, speakers: dict[str, list[int]], **others) -> Any:
    """What the protocol says of one run."""
    n_correct, n = (sum(count) for count in zip(*speakers.values(), strict=True))
    run = {"recipe": "ann", "rule": rule, "held_out": held_out, "seed": 0, "n": n}
    run |= {"n_correct": n_correct, "n_sure": 10, "n_sure_correct": 9}
    return {**run, "corpora": ["fsdd", "people"], "speakers": speakers, **others}


def test_the_table_of_the_protocol_adds_up_runs_and_says_what_trained() -> None:
    entry = {
        "corpus": "fsdd",
        "runs": [
            run_of("random", "", {"anna": [29, 40]}, corpora=["fsdd"]),
            run_of("random", "", {"anna": [31, 40]}, corpora=["fsdd"], seed=1),
            run_of("leave_one_out", "anna", {"anna": [30, 40]}),
            run_of("leave_one_out", "bert", {"bert": [20, 40]}),
            run_of("corpus", "fsdd", {"anna": [40, 40], "bert": [10, 40]}),
            run_of("corpus", "people", {"x": [1, 1], "y": [0, 2], "z": [1, 1]}),
        ],
    }
    lines = protocol.table(entry).splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[1:4] for row in rows] == [
        ["random 80/20, seeds 0, 1", "fsdd", "80"],
        ["one speaker left out at a time", "fsdd, people", "80"],
        ["tested on all of fsdd", "people", "80"],
        ["tested on all of people", "fsdd", "4"],
    ]
    assert [row[4].split()[0] for row in rows] == ["75.0%", "62.5%", "62.5%", "50.0%"]
    assert [row[5] for row in rows] == [
        "anna: 75.0%",
        "bert: 50.0%",
        "bert: 25.0%",
        "3 people, few clips each",
    ]
    assert {row[6] for row in rows} == {"90.0%"}


# What a part of a recipe is worth


@pytest.mark.parametrize("name", ablation.CHANGES)
def test_each_change_of_the_recipe_makes_another_run_that_can_be(name) -> None:
    basis = find_recipe("best").config(("embedded", "fsdd"), ("embedded",))
    changed = ablation.CHANGES[name](basis)
    is_here = not name.endswith("the recipe")
    assert (changed != basis) == (is_here or "'s recipe" in name)


def test_the_table_of_the_ablation_says_what_a_change_gains_or_costs() -> None:
    basis = {"corpus": {"n": 200, "n_correct": 150}, "leave_one_out": {"n": 40}}
    basis["leave_one_out"]["n_correct"] = 20
    better = {"corpus": {"n": 200, "n_correct": 153}}
    entry = {"held_out": "anna", "changes": {"the recipe": basis, "more": better}}
    lines = ablation.table(entry).splitlines()
    assert "anna left out" in lines[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert [row[0] for row in rows] == ["the recipe", "more"]
    assert [row[2] for row in rows] == ["", "+1.5"]
    assert rows[0][1].startswith("75.0% (") and rows[0][3].startswith("50.0% (")
    assert rows[1][3:] == ["not measured", ""]
