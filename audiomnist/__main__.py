"""The command line: the same functions as the pages, for scripts and servers.

Owns the exit status and what becomes of errors; each module of `commands` owns a
group of commands and their options.
"""

import os
import sys
from collections.abc import Sequence

import click

from audiomnist.commands import data, measuring, predicting, training
from audiomnist.errors import AudioMnistError

BAD_INPUT = 2
"""Exit status after one line on stderr that says what was wrong with the input."""

INTERRUPTED = 130
"""Exit status after Ctrl-C: 128 plus the signal's number, as shells have it."""

OUTPUT_CLOSED = 141
"""Exit status when nobody reads the output any more: 128 plus the signal's number."""

_PROGRAM = "python -m audiomnist"

_COMMANDS = click.Group(
    commands=[
        data.data,
        training.train,
        training.recipe,
        training.runs,
        predicting.models,
        predicting.evaluate,
        predicting.predict,
        measuring.benchmark,
    ],
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Recognize spoken digits, and train and compare networks that do.",
    epilog="Everything that is downloaded, trained or cached lies under "
    "AUDIOMNIST_HOME. Exit status: 0 done, 2 bad input, 130 stopped by Ctrl-C.",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    argv
        The words after the program's name; those of the process if None.
    """
    try:
        return _run(sys.argv[1:] if argv is None else list(argv))
    except click.UsageError as error:
        return _refuse_usage(error)
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


def _run(words: list[str]) -> int:
    """Run a command; `click.Group.main` would not leave Ctrl-C and pipes to `main`."""
    try:
        with _COMMANDS.make_context(_PROGRAM, words) as context:
            status: int = _COMMANDS.invoke(context) or 0
    except click.exceptions.Exit as end:  # the help was shown
        status = end.exit_code
    sys.stdout.flush()
    return status


def _refuse_usage(error: click.UsageError) -> int:
    """Say in one line what was wrong with the words, and where the help is."""
    program = error.ctx.command_path if error.ctx else _PROGRAM
    message = " ".join(error.format_message().split())
    stop = "" if message.endswith((".", "?")) else "."
    print(f"{program}: {message}{stop} Try {program} --help", file=sys.stderr)
    return BAD_INPUT


def _refuse(message: str) -> int:
    """Say in one line what was wrong."""
    print(f"audiomnist: {' '.join(message.split())}", file=sys.stderr)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
