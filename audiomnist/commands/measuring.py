"""python -m audiomnist benchmark: measure what the documentation claims."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click


@dataclass(frozen=True)
class Benchmark:
    """One measurement that can be asked for.

    Parameters
    ----------
    explanation
        What is measured.
    measure
        Takes whether it is to be quick, gives plain numbers.
    table
        Lays such numbers, with the facts beside them, out as Markdown.
    """

    explanation: str
    measure: Callable[[bool], dict[str, Any]]
    table: Callable[[dict[str, Any]], str]


def benchmarks(*, saved: bool = False) -> dict[str, Benchmark]:
    """Every benchmark by its name.

    Parameters
    ----------
    saved
        Let protocol and ablation train nothing and take the runs that are finished.
    """
    return _speeds() | _accuracies(saved)


def _speeds() -> dict[str, Benchmark]:
    """What measures time and memory."""
    from audiomnist.benchmark import extraction, latency, learning, server
    from audiomnist.benchmark.report import measure_alone

    return {
        "features": Benchmark(
            "clips a second from wav files to features, beside the plain librosa loop",
            lambda quick: measure_alone("extraction", repeats=1 if quick else 5),
            extraction.table,
        ),
        "latency": Benchmark(
            "time from the bytes of a recording to its digit",
            lambda quick: measure_alone("latency", n_recordings=50 if quick else 500),
            latency.table,
        ),
        "server": Benchmark(
            "first page, memory, and reruns before and during a training, by Chromium",
            lambda quick: server.measure(1, 6) if quick else server.measure(5, 30),
            server.table,
        ),
        "training": Benchmark(
            "processor time and epochs to 99 % accuracy on a held-out fifth",
            lambda quick: measure_alone("learning", seeds=1 if quick else 5),
            learning.table,
        ),
    }


def _accuracies(saved: bool) -> dict[str, Benchmark]:
    """What measures how often models are right."""
    from audiomnist.benchmark import ablation, accuracy, protocol, robustness
    from audiomnist.benchmark.report import measure_alone

    return {
        "accuracy": Benchmark(
            "the shipped models on clips that they were not trained on",
            lambda quick: accuracy.measure(),
            accuracy.table,
        ),
        "robustness": Benchmark(
            "the shipped models through noise, level, pauses, files and faults",
            lambda quick: measure_alone("robustness", n_takes=1 if quick else 5),
            robustness.table,
        ),
        "protocol": Benchmark(
            "each recipe by random splits, with speakers left out, without the corpus",
            lambda quick: protocol.measure(quick=quick, saved=saved),
            protocol.table,
        ),
        "ablation": Benchmark(
            "the best model's recipe with one thing changed at a time",
            lambda quick: ablation.measure(quick=quick, saved=saved),
            ablation.table,
        ),
    }


NAMES = (
    *("features", "latency", "server", "training", "accuracy", "robustness"),
    *("protocol", "ablation"),
)
"""Names of the benchmarks, known without importing them."""


_WHAT = (*NAMES, "all", "tables")


@click.command(
    short_help="measure speed, memory and accuracy on this machine",
    epilog=f"WHAT is one of {', '.join(_WHAT)}.",
)
@click.argument("what", metavar="WHAT", type=click.Choice(_WHAT))
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File of results (default: benchmarks.json under AUDIOMNIST_HOME; for tables: "
    "docs/benchmarks.json).",
)
@click.option("--quick", is_flag=True, help="Fewer repeats and seeds, as a trial.")
@click.option(
    "--saved",
    is_flag=True,
    help="protocol, ablation: train nothing, take the runs that are finished.",
)
def benchmark(what: str, out: Path | None, quick: bool, saved: bool) -> None:
    """Measure WHAT the documentation claims.

    Results are printed and put into a JSON file with machine, versions and commit
    beside them; tables rewrites the tables in README.md and docs/ from such a file. All
    but latency and server need the Free Spoken Digit Dataset (data download fsdd);
    server needs Chromium and what requirements-dev.txt lists; protocol trains for
    hours, keeps its runs and continues where it stopped.
    """
    from audiomnist.benchmark import report
    from audiomnist.settings import settings

    if what == "tables":
        _rewrite_tables(out or report.COMMITTED)
        return
    path = out or settings().home / "benchmarks.json"
    for name in NAMES if what == "all" else (what,):
        chosen = benchmarks(saved=saved)[name]
        print(f"{name}: {chosen.explanation} ...", file=sys.stderr)
        report.record(name, chosen.measure(quick), path)
        entry = report.read(path)[name]
        print(f"{chosen.table(entry)}\n\n{report.measured_on(entry)}\n", flush=True)
    print(f"Written to {path}.")


def _rewrite_tables(path: Path) -> None:
    """Rewrite the tables in the documentation from a file of results."""
    from audiomnist.benchmark import report

    for page in report.pages():
        text = with_tables(page.read_text(encoding="utf-8"), path)
        page.write_text(text, encoding="utf-8")
        print(f"{page.name} shows what {path} holds.")


def with_tables(text: str, path: Path) -> str:
    """Fill the tables of a text from a file of results.

    Raises
    ------
    AudioMnistError
        If the file is not one, or lacks a result that the text shows.
    """
    from audiomnist.benchmark import report, summary

    results = report.read(path)
    tables = {
        name: f"{benchmark.table(results[name])}\n\n{report.measured_on(results[name])}"
        for name, benchmark in benchmarks().items()
        if name in results
    }
    if results.keys() >= set(summary.SOURCES):
        tables[summary.NAME] = summary.table(results)
    return report.fill_tables(text, tables)
