"""Benchmarks: results are kept with their facts, and the pages show those alone."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from audiomnist.benchmark import report, robustness, summary
from audiomnist.benchmark.accuracy import shipped_models
from audiomnist.commands.measuring import NAMES, benchmarks, with_tables
from audiomnist.errors import AudioMnistError
from audiomnist.evaluation.conditions import CLEAN, CONDITIONS
from audiomnist.evaluation.significance import Rate

FACTS = {"processor", "n_cores", "system", "python", "versions", "commit", "day"}


def test_the_names_are_known_without_importing_the_benchmarks():
    assert tuple(benchmarks()) == NAMES


def test_facts_say_where_and_with_what():
    facts = report.facts()
    assert set(facts) == FACTS
    assert {"numpy", "tensorflow", "streamlit"} <= set(facts["versions"])
    assert facts["n_cores"] >= 1


def test_a_rate_of_nothing_was_not_measured():
    assert report.rate_text(Rate(0, 0)) == "not measured"
    assert report.rate_text(Rate(3, 4)) == "75.0% (30.1% to 95.4%)"


def test_a_result_replaces_its_predecessor_alone(tmp_path):
    path = tmp_path / "new" / "results.json"
    report.record("one", {"value": 1}, path)
    report.record("two", {"value": 2}, path)
    report.record("one", {"value": 3}, path)
    results = report.read(path)
    assert {name: entry["value"] for name, entry in results.items()} == {
        "one": 3,
        "two": 2,
    }
    assert all(set(entry["facts"]) == FACTS for entry in results.values())


@pytest.mark.parametrize("content", ["no json", "[]", '{"one": {}}', '{"one": 1}'])
def test_a_file_that_holds_something_else_is_refused(tmp_path, content):
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(AudioMnistError, match="no benchmark results"):
        report.read(path)
    with pytest.raises(AudioMnistError, match="no benchmark results"):
        report.record("one", {}, path)
    assert path.read_text() == content


def test_a_missing_file_and_an_unwritable_one_are_named(tmp_path):
    with pytest.raises(AudioMnistError, match="Run a benchmark first"):
        report.read(tmp_path / "missing.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioMnistError, match="--out"):
        report.record("one", {}, tmp_path / "file" / "results.json")


def test_tables_fill_the_places_of_their_names_alone():
    text = (
        "before\n<!-- benchmark: one -->\nold\n<!-- end -->\nbetween\n"
        "<!-- benchmark: two -->\n<!-- end -->\nafter\n"
    )
    filled = report.fill_tables(text, {"one": "1", "two": "2"})
    assert filled == text.replace("old\n", "1\n").replace("two -->\n", "two -->\n2\n")
    assert report.fill_tables(filled, {"one": "1", "two": "2"}) == filled


def test_a_place_without_a_result_is_refused_with_the_command_that_makes_one():
    with pytest.raises(AudioMnistError, match="benchmark three"):
        report.fill_tables("<!-- benchmark: three -->\n<!-- end -->", {})


def test_a_markdown_table_has_as_many_columns_in_every_line():
    table = report.markdown_table(["a", "b", "c"], [["1", "2", "3"]])
    assert [line.count("|") for line in table.splitlines()] == [4, 4, 4]


@pytest.mark.slow
def test_latency_is_measured_in_a_process_of_its_own():
    measured = report.measure_alone("latency", n_recordings=5)
    assert measured["n_recordings"] == 5
    for times in measured["models"].values():
        assert 0 < times["median_ms"] <= times["p95_ms"]
    assert "ms" in benchmarks()["latency"].table({"facts": report.facts(), **measured})


def test_a_measurement_that_fails_says_why():
    with pytest.raises(AudioMnistError, match="data download fsdd"):
        report.measure_alone("extraction", repeats=1)


# Robustness


@pytest.fixture
def measured(tiny_corpus, monkeypatch) -> dict[str, Any]:
    """The benchmark of the first take of a small corpus, under three conditions."""
    corpus = replace(
        tiny_corpus, name="fsdd", title="Tiny", official_test_takes=frozenset({1})
    )
    monkeypatch.setattr(robustness, "load_corpus", lambda name: corpus)
    noise = next(c for c in CONDITIONS if c.group == "noise")
    monkeypatch.setattr(robustness, "CONDITIONS", (CLEAN, noise, CONDITIONS[-1]))
    return robustness.measure(n_takes=1)


def test_each_shipped_model_hears_the_test_takes_under_each_condition(measured):
    assert measured["takes"] == [1]
    assert measured["n"] == 40
    assert set(measured["n_trained"]) == set(shipped_models())
    assert [row["group"] for row in measured["conditions"]] == [
        *("clean", "noise", "fault")
    ]
    for row in measured["conditions"]:
        assert set(row["models"]) == set(shipped_models())
        for counts in row["models"].values():
            assert 0 <= counts["answered_correctly"] <= counts["answered"]
            assert counts["answered"] <= counts["found"] <= 40
            assert counts["correct"] <= counts["found"]
            assert counts["placed"] <= counts["found"]
    assert json.loads(json.dumps(measured)) == measured


def test_the_tables_of_robustness_say_n_seed_interval_and_difference(measured):
    clean, noise, fault = measured["conditions"]
    model = next(iter(measured["n_trained"]))
    measured["n_trained"] = {model: 7}
    for row, n_correct, n_placed in ((clean, 40, 40), (noise, 30, 20), (fault, 40, 38)):
        counts = {"correct": n_correct, "placed": n_placed}
        row["models"] = {model: counts}
    table = robustness.table(measured)
    assert "n = 40" in table and f"seed {robustness.SEED}" in table
    assert f"trained on: {model} 7" in table
    rows = {line.split(" | ")[0]: line for line in table.splitlines()}
    assert "100.0% (91.2% to 100.0%) |" in rows[f"| {clean['name']}"]
    assert "75.0% (59.8% to 85.8%), -25.0" in rows[f"| {noise['name']}"]
    assert rows[f"| {noise['name']}"].endswith("| 50.0% |")
    assert "100.0% (91.2% to 100.0%), +0.0" in rows[f"| {fault['name']}"]


def test_robustness_without_the_corpus_says_how_to_get_it():
    with pytest.raises(AudioMnistError, match="data download fsdd"):
        robustness.measure()


# The documentation


def test_the_pages_show_every_result_once_and_as_it_was_measured():
    shown = []
    for page in report.pages():
        text = page.read_text(encoding="utf-8")
        shown += re.findall(r"<!-- benchmark: ([a-z-]+) -->", text)
        assert with_tables(text, report.COMMITTED) == text, (
            "run python -m audiomnist benchmark tables"
        )
    assert sorted(shown) == sorted([*NAMES, summary.NAME])


def test_pages_without_a_table_are_left_alone(tmp_path, monkeypatch):
    marked, plain = tmp_path / "marked.md", tmp_path / "plain.md"
    marked.write_text("<!-- benchmark: one -->\n<!-- end -->\n")
    plain.write_text("# No table\n")
    monkeypatch.setattr(report, "README", plain)
    monkeypatch.setattr(report, "DOCS", tmp_path)
    assert report.pages() == [marked]


def test_the_summary_has_a_line_for_each_model():
    answers = {"n_strangers": 50, "n_correct_strangers": 45}
    results = {
        "accuracy": {
            "models": [
                {"model": "a", "n": 100, "n_correct": 99},
                {"model": "a", "n": 100, "n_correct": 97},
                {"model": "b", "n": 200, "n_correct": 150},
            ],
            "answers": [
                {"model": "a", **answers},
                {"model": "b", "n_strangers": 0, "n_correct_strangers": 0},
            ],
        },
        "robustness": {
            "n": 300,
            "conditions": [
                {"name": "pink noise, 20 dB", "models": {}},
                {
                    "name": "pink noise, 10 dB",
                    "models": {"a": {"correct": 240}, "b": {"correct": 150}},
                },
            ],
        },
        "latency": {"models": {"a": {"median_ms": 1.26}, "b": {"median_ms": 20.0}}},
    }
    *_, a, b = summary.table(results).splitlines()
    assert a.startswith("| `a` | 98.0% (95.0% to 99.2%), n = 200 | 90.0% (")
    assert "80.0% (75.1% to 84.1%), n = 300" in a and a.endswith("| 1.3 ms |")
    assert "75.0% (" in b and "| not measured |" in b and b.endswith("| 20.0 ms |")


def test_the_summary_is_left_out_where_a_result_is_missing(tmp_path):
    path = tmp_path / "results.json"
    results = report.read(report.COMMITTED)
    path.write_text(json.dumps({"accuracy": results["accuracy"]}))
    with pytest.raises(AudioMnistError, match="summary"):
        with_tables("<!-- benchmark: summary -->\n<!-- end -->", path)
