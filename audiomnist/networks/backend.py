"""TensorFlow, as training wants it: quiet, repeatable, and not on every core.

Owns how it is loaded, which takes seconds and is done inside functions alone, and how
what such libraries log past Python is kept off stderr. What is built with it is for
`networks`.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_STDERR = 2  # file descriptor


def n_threads() -> int:
    """Threads that training may use: one core is left to whatever else runs."""
    return max(1, (os.cpu_count() or 1) - 1)


def tensorflow_ready() -> Any:
    """TensorFlow, quiet, repeatable and leaving a core free."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what matters is raised
    with silent_stderr():
        import tensorflow

    # Refused once the process has used TensorFlow: then it keeps its threads.
    with contextlib.suppress(RuntimeError):
        tensorflow.config.threading.set_intra_op_parallelism_threads(n_threads())
    tensorflow.config.experimental.enable_op_determinism()
    return tensorflow


@contextlib.contextmanager
def silent_stderr() -> Iterator[None]:
    """Keep off stderr what libraries write there past Python, errors or not.

    TensorFlow tells everybody whom it loads for that there is no GPU, whatever its log
    level, and LiteRT how it computes, which can be mistaken for an error.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        stderr = os.dup(_STDERR)
    except OSError:  # there is none
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), _STDERR)
        yield
    finally:
        os.dup2(stderr, _STDERR)
        os.close(stderr)
