"""benchmark: what is asked for is measured and written."""

import json
from functools import partial

import pytest
from commandline import one_line

from audiomnist.__main__ import main
from audiomnist.commands.measuring import NAMES, Benchmark


@pytest.fixture
def measurements(monkeypatch) -> list[tuple[str, bool, bool]]:
    """Benchmarks that only note their name, --quick and --saved."""
    noted: list[tuple[str, bool, bool]] = []

    def benchmarks(*, saved: bool = False) -> dict[str, Benchmark]:
        def measure(name: str, quick: bool) -> dict[str, str]:
            noted.append((name, quick, saved))
            return {"value": name}

        return {
            name: Benchmark(
                f"measures {name}",
                partial(measure, name),
                lambda entry: f"| {entry['value']} |",
            )
            for name in NAMES
        }

    monkeypatch.setattr("audiomnist.commands.measuring.benchmarks", benchmarks)
    return noted


@pytest.mark.parametrize(
    ("words", "is_quick", "is_saved"),
    [((), False, False), (("--quick",), True, False), (("--saved",), False, True)],
)
def test_a_benchmark_is_measured_as_asked(
    capsys, home, measurements, words, is_quick, is_saved
):
    assert main(["benchmark", "latency", *words]) == 0
    assert measurements == [("latency", is_quick, is_saved)]
    captured = capsys.readouterr()
    path = home / "benchmarks.json"
    assert captured.out.startswith("| latency |\n")
    assert captured.out.endswith(f"Written to {path}.\n")
    assert one_line(captured.err) == "latency: measures latency ..."
    assert json.loads(path.read_text())["latency"]["value"] == "latency"


def test_all_benchmarks_are_measured_into_the_file_that_is_named(
    home, measurements, tmp_path
):
    path = tmp_path / "results.json"
    assert main(["benchmark", "all", "--out", str(path)]) == 0
    assert [name for name, _, _ in measurements] == list(NAMES)
    assert set(json.loads(path.read_text())) == set(NAMES)
    assert not (home / "benchmarks.json").exists()


def test_tables_are_rewritten_from_the_file_that_is_named(
    capsys, monkeypatch, measurements, tmp_path
):
    path = tmp_path / "results.json"
    assert main(["benchmark", "features", "--out", str(path)]) == 0
    page = tmp_path / "README.md"
    page.write_text("<!-- benchmark: features -->\nold\n<!-- end -->\n")
    monkeypatch.setattr("audiomnist.benchmark.report.pages", lambda: [page])
    capsys.readouterr()
    assert main(["benchmark", "tables", "--out", str(path)]) == 0
    said = one_line(capsys.readouterr().out)
    assert said == f"README.md shows what {path} holds."
    assert "| features |" in page.read_text()
    assert "old" not in page.read_text()
