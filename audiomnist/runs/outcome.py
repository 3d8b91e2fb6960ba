"""How a run ends: finished, failed, or stopped by Ctrl-C.

Owns what is then written to its folder, and the sentence for a file that the operating
system refuses. The steps that can end so are for `execution`.
"""

import contextlib
import errno
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from types import FrameType, TracebackType

from audiomnist.errors import AudioMnistError, RunError
from audiomnist.runs.folder import ENDED, Run, update_record


def end_run(run: Run, state: str, message: str = "") -> None:
    """Write how a run has ended."""
    update_record(run, state=state, message=message, finished=datetime.now(UTC))


@contextlib.contextmanager
def writing(run: Run) -> Iterator[None]:
    """Say in a sentence which file the operating system refuses, and why."""
    try:
        yield
    except BrokenPipeError:  # no file, but whoever read what was printed
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            trouble = f"The disk that holds {run.folder} is full. Free some space there"
        else:
            trouble = (
                f"The run {run.id} cannot read or write {error.filename or run.folder} "
                f"({error.strerror or error}). Make sure that it is there and yours "
                "to write"
            )
        raise RunError(
            f"{trouble} and resume the run: it goes on from its last epoch."
        ) from error


class Outcome:
    """Writes how a run ended when its work breaks off, whatever the reason.

    Ctrl-C counts even when the library that it fell into makes another error of
    it, or swallows it.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._is_interrupted = False
        self._is_listening = False

    def check(self) -> None:
        """Stop if a Ctrl-C was lost on its way here."""
        if self._is_interrupted:
            raise KeyboardInterrupt

    def __enter__(self) -> "Outcome":
        # What runs in the background has been told to ignore Ctrl-C, and only a
        # process' first thread hears of it.
        handler = signal.getsignal(signal.SIGINT)
        is_first = threading.current_thread() is threading.main_thread()
        self._is_listening = is_first and handler is signal.default_int_handler
        if self._is_listening:
            signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_listening:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if error is None:
            self.check()  # the next run is not to begin
            return
        is_stopped = self._is_interrupted or isinstance(
            error, KeyboardInterrupt | BrokenPipeError
        )
        # A disk that takes not even this leaves a run without a worker, which
        # shows as failed too.
        with contextlib.suppress(OSError):
            if self.run.record.state in ENDED:
                pass
            elif is_stopped:
                end_run(self.run, "cancelled")
            elif isinstance(error, AudioMnistError):
                end_run(self.run, "failed", str(error))
            else:
                end_run(self.run, "failed", f"{type(error).__name__}: {error}")
        if self._is_interrupted and not isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt from error

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Note the Ctrl-C, and raise what it always raises."""
        self._is_interrupted = True
        signal.default_int_handler(number, frame)
