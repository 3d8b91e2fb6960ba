"""Run every command that README.md shows, as it stands there.

A block that starts the server is stopped once the server is healthy. Commands that
`.ci/run` itself has run by then are left out. With --quick, benchmarks run their
quick form.
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
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
HEALTH = "http://localhost:8501/_stcore/health"
TIMEOUT = 60  # s
RUN_BEFORE = {
    "pip install -r requirements-dev.txt && pytest",
    ".ci/check",
    ".ci/run",
}


def blocks() -> list[str]:
    """The bash blocks of the README, in order."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```bash\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def commands(block: str) -> list[str]:
    """The commands of a block, without comments and with continued lines joined."""
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
    shown = [command for block in blocks() for command in commands(block)]
    if missing := RUN_BEFORE - set(shown):
        sys.exit(f"The README no longer shows {shlex.join(sorted(missing))}.")
    for command in shown:
        if command not in RUN_BEFORE:
            run(command, quick=arguments.quick)


if __name__ == "__main__":
    main()
