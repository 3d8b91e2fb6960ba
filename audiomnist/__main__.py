"""The command line: the same functions as the pages, for scripts and servers.

Owns the parser, the exit status and what becomes of errors; `commands` owns the
words and options.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from audiomnist.commands import data, hearing, measuring, training
from audiomnist.errors import AudioMnistError

BAD_INPUT = 2
"""Exit status after one line on stderr that says what was wrong with the input."""

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 plus the signal's number, as shells have it."""

OUTPUT_CLOSED = 141
"""Exit status when nobody reads the output any more: 128 plus the signal's number."""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """Say what was wrong, and where the help is."""
        self.exit(BAD_INPUT, f"{self.prog}: {message}. Try {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    argv
        The words after the program's name; those of the process if None.
    """
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.command(arguments) or 0
        sys.stdout.flush()
        return status
    except AudioMnistError as error:
        return _refuse(str(error))
    except BrokenPipeError:
        # Whoever read the output has gone: leave nothing to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUTPUT_CLOSED
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        return _refuse(f"{name}{error.strerror or error}.")
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(
        prog="python -m audiomnist",
        description="Hear a spoken digit, know which one, and see why.",
        epilog="Everything that is downloaded, trained or cached lies under "
        "AUDIOMNIST_HOME. Exit status: 0 done, 2 bad input, 130 stopped by Ctrl-C.",
    )
    groups = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in (data, training, hearing, measuring):
        group.add(groups)
    return parser


def _refuse(message: str) -> int:
    """Say in one line what was wrong."""
    print(f"audiomnist: {' '.join(message.split())}", file=sys.stderr)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
