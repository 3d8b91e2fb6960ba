"""Run every command and every piece of Python that the documentation shows.

That is README.md, CONTRIBUTING.md and the pages in docs/: blocks marked `bash` and
`python` are run as they stand there, each command once; blocks without a language are
only shown. A command that starts the server is stopped once the server is healthy.
Commands that `.ci/run` itself has run by then are left out. With --quick, benchmarks
run their quick form.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
HEALTH = "http://localhost:8501/_stcore/health"
TIMEOUT = 60  # s
RUN_BEFORE = {
    "pip install -r requirements-dev.txt && pytest",
    "pip install -r requirements-docs.txt && mkdocs build --strict",
    ".ci/check",
    ".ci/run",
}
_BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def pages() -> list[Path]:
    """The documentation's pages, in the order in which their commands are run."""
    return [
        REPOSITORY / "README.md",
        REPOSITORY / "CONTRIBUTING.md",
        *sorted((REPOSITORY / "docs").glob("*.md")),
    ]


def blocks() -> Iterator[tuple[str, str]]:
    """Language and text of each block that is run."""
    for page in pages():
        yield from _BLOCK.findall(page.read_text(encoding="utf-8"))


def commands(block: str) -> list[str]:
    """The commands of a bash block, without comments and with long lines joined."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def run(command: str, *, quick: bool) -> None:
    """Run one command, or start it and wait until its server is healthy."""
    if quick and re.search(r"\bbenchmark (?!tables)", command):
        command += " --quick"
    print(f"\n$ {command}", flush=True)
    if "streamlit run" not in command:
        subprocess.run(["bash", "-euc", command], cwd=REPOSITORY, check=True)
        return
    server = subprocess.Popen(
        ["bash", "-euc", f"{command} --server.headless true"],
        cwd=REPOSITORY,
        start_new_session=True,
    )
    try:
        wait_for_health(server)
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def run_python(code: str) -> None:
    """Run a piece of Python in the folder of the repository."""
    print(f"\n>>> {code}", flush=True)
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def wait_for_health(server: subprocess.Popen) -> None:
    """Wait until the server answers; installing what it needs may come first."""
    give_up_at = time.monotonic() + 10 * TIMEOUT
    while time.monotonic() < give_up_at:
        if server.poll() is not None:
            sys.exit(f"The server ended with status {server.returncode}.")
        try:
            with urllib.request.urlopen(HEALTH, timeout=TIMEOUT):
                print(f"{HEALTH} answers.", flush=True)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("The server did not become healthy.")


def main() -> None:
    """Run them all, stopping at the first that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    shown = list(blocks())
    named = [
        command
        for language, text in shown
        if language == "bash"
        for command in commands(text)
    ]
    if missing := RUN_BEFORE - set(named):
        sys.exit(f"The documentation no longer shows {shlex.join(sorted(missing))}.")
    for command in dict.fromkeys(named):
        if command not in RUN_BEFORE:
            run(command, quick=arguments.quick)
    for language, text in shown:
        if language == "python":
            run_python(text)


if __name__ == "__main__":
    main()
