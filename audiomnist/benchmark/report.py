"""Benchmark results as a file, with where they were measured, and as tables.

Owns the file of results, the facts that stand beside each of them, and the tables in
the documentation, which are made from that file and never typed.
"""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from audiomnist.errors import AudioMnistError
from audiomnist.evaluation.significance import Rate
from audiomnist.settings import REPOSITORY, settings
from audiomnist.storage import write_atomically

README = REPOSITORY / "README.md"
DOCS = REPOSITORY / "docs"

COMMITTED = DOCS / "benchmarks.json"
"""The results that the README and the pages in docs/ show."""

_PACKAGES = (
    *("numpy", "librosa", "soundfile", "ai-edge-litert"),
    *("tensorflow", "keras", "scikit-learn", "streamlit"),
)
_ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMBA_NUM_THREADS",
    ),
    "1",
)
_MARKED = re.compile(
    r"(?P<begin><!-- benchmark: (?P<name>[a-z-]+) -->\n).*?(?P<end><!-- end -->)",
    re.DOTALL,
)


def facts() -> dict[str, Any]:
    """Describe what a result depends on: machine, versions, commit and day."""
    return {
        "processor": _processor(),
        "n_cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in _PACKAGES},
        "commit": _commit(),
        "day": datetime.now(UTC).date().isoformat(),
    }


def measure_alone(module: str, **arguments: Any) -> dict[str, Any]:
    """Call `measure` of a module of this package in a process with one thread.

    Parameters
    ----------
    module
        Name of the module in `audiomnist.benchmark`.
    arguments
        Arguments of its `measure`, as JSON can hold them.

    Raises
    ------
    AudioMnistError
        If the measurement fails, with the last line that it printed.
    """
    code = (
        "import json, sys\n"
        "from audiomnist.errors import AudioMnistError\n"
        f"from audiomnist.benchmark.{module} import measure\n"
        "try:\n"
        "    print(json.dumps(measure(**json.loads(sys.argv[1]))))\n"
        "except AudioMnistError as error:\n"
        "    sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments)],
        cwd=REPOSITORY,
        env=os.environ
        | _ONE_THREAD
        | {"AUDIOMNIST_HOME": str(settings().home.absolute())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it ended without a word"]
        raise AudioMnistError(f"The measurement of {module} failed: {lines[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def record(name: str, result: dict[str, Any], path: Path) -> None:
    """Put one result into a file of results, in the place of its predecessor.

    Raises
    ------
    AudioMnistError
        If the file holds something else or cannot be written.
    """
    results = read(path) if path.exists() else {}
    results[name] = {"facts": facts(), **result}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(results, indent=2) + "\n"
        write_atomically(path, text.encode())
    except OSError as error:
        raise AudioMnistError(
            f"The results cannot be written to {path} ({error.strerror}). "
            "Name another file with --out."
        ) from error


def read(path: Path) -> dict[str, Any]:
    """Read a file of results: one entry for each benchmark.

    Raises
    ------
    AudioMnistError
        If there is no such file, or it holds something else.
    """
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AudioMnistError(
            f"{path} cannot be read ({error.strerror}). Run a benchmark first."
        ) from error
    except ValueError as error:
        raise AudioMnistError(
            f"{path} holds no benchmark results ({error}). Name another file."
        ) from error
    if not isinstance(results, dict) or not all(
        isinstance(entry, dict) and "facts" in entry for entry in results.values()
    ):
        raise AudioMnistError(f"{path} holds no benchmark results. Name another file.")
    return results


def pages() -> list[Path]:
    """The README and the pages in docs/ that mark a place for a table, in order."""
    return [
        path
        for path in (README, *sorted(DOCS.glob("*.md")))
        if _MARKED.search(path.read_text(encoding="utf-8"))
    ]


def fill_tables(text: str, tables: dict[str, str]) -> str:
    """Put tables between their markers, `<!-- benchmark: NAME -->` and `<!-- end -->`.

    Raises
    ------
    AudioMnistError
        If the text marks a place for a table that there is not.
    """

    def table(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in tables:
            raise AudioMnistError(
                f"There is no result for the table {name!r}. Run python -m "
                f"audiomnist benchmark {name} with the same --out."
            )
        return f"{match['begin']}{tables[name]}\n{match['end']}"

    return _MARKED.sub(table, text)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table; the first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rate_text(rate: Rate) -> str:
    """A rate with its 95 % interval, as tables show it."""
    if not rate.n:
        return "not measured"
    return f"{rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})"


def measured_on(entry: dict[str, Any]) -> str:
    """Say in a line where and with what a result was measured."""
    machine = entry["facts"]
    return (
        f"Measured on {machine['day']} on {machine['n_cores']} cores of "
        f"{machine['processor']}, {machine['system']}, Python {machine['python']}, "
        f"commit {machine['commit']}."
    )


def _processor() -> str:
    """The processor's name, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    """The short hash of the code that runs, "+" if it was changed since."""
    git = ["git", "-C", str(REPOSITORY)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--", "audiomnist", "models", "pages"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")
