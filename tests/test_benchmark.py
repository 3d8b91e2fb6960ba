"""Benchmarks: results are kept with their facts, and the README shows those alone."""

import re
from pathlib import Path

import pytest

from audiomnist.benchmark import report
from audiomnist.commands.measuring import NAMES, benchmarks, with_tables
from audiomnist.errors import AudioMnistError

FACTS = {"processor", "n_cores", "system", "python", "versions", "commit", "day"}


def test_the_names_are_known_without_importing_the_benchmarks():
    assert tuple(benchmarks()) == NAMES


def test_facts_say_where_and_with_what():
    facts = report.facts()
    assert set(facts) == FACTS
    assert {"numpy", "tensorflow", "streamlit"} <= set(facts["versions"])
    assert facts["n_cores"] >= 1


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


# The README


@pytest.fixture
def readme() -> str:
    return report.README.read_text(encoding="utf-8")


def test_the_readme_shows_every_result_as_it_was_measured(readme):
    shown = set(re.findall(r"<!-- benchmark: ([a-z-]+) -->", readme))
    assert shown == set(NAMES)
    assert with_tables(readme, report.COMMITTED) == readme, (
        "run python -m audiomnist benchmark tables"
    )


def test_every_file_that_the_readme_names_is_there(readme):
    places = re.findall(r"\]\(([^)#:]+)\)|src(?:set)?=\"([^\":]+)\"", readme)
    names = {name for place in places for name in place if name}
    assert names
    missing = [
        name for name in sorted(names) if not (report.README.parent / name).exists()
    ]
    assert not missing


def test_the_file_map_of_the_readme_is_complete(readme):
    modules = Path(report.README.parent / "audiomnist").glob("*.py")
    missing = [path.name for path in modules if f"{path.name}" not in readme]
    assert [name for name in missing if name != "__init__.py"] == []
