"""Worker processes that train: started, known to be alive, stopped.

Owns one worker process per folder and how anybody can see that it is alive: it holds a
lock there, which the operating system frees however the process ends. What a worker
does is for `execution`.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
from filelock import FileLock, Timeout

from audiomnist.errors import RunError
from audiomnist.networks.backend import n_threads
from audiomnist.settings import REPOSITORY, settings
from audiomnist.storage import write_atomically

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

OUTPUT = "train.txt"
"""What the worker printed, and the traceback of what it did not expect."""

START_TIME = 5.0
"""Seconds that may pass from the wish for a worker to its process."""

_LOCK = "worker.lock"
_TICKET = "worker.json"  # there while the folder waits for a worker or has one
_LAUNCHED = "launched.json"  # which process was started to be the worker
_POLITE = 5.0  # s between asking a process to end and ending it
_LOCK_TIME = 10.0  # s; whoever only looks holds the lock for microseconds
_POLL = 0.02  # s
_CLOCK_ERROR = 2.0  # s; no number is given away again as soon as that
_CHATTER = re.compile(r"[IWEF]\d{4} |INFO: |WARNING: ")
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has one way to end


class _Process(NamedTuple):
    """A process: its number, which another may get later, and when it was started.

    The latter in seconds since the machine's own start.
    """

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "_Process | None":
        """The process that has this number now; None if there is none.

        One that has ended is none, also where nobody has asked how it ended.
        """
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            # From the machine's start on: the clock may be set back meanwhile.
            return cls(pid, process.create_time() - psutil.boot_time())
        except psutil.NoSuchProcess:
            return None

    @property
    def lives(self) -> bool:
        """Whether it is still there, and no other one under its number."""
        now = _Process.of(self.pid)
        return now is not None and abs(now.started - self.started) < _CLOCK_ERROR


class _Ticket(NamedTuple):
    """Since when a folder waits, in seconds, and who works there, if anybody."""

    queued: float
    worker: _Process | None


# They are polled now and then, so that none stays a zombie.
_started: dict[Path, subprocess.Popen[bytes]] = {}


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Be the one worker of a folder while the block runs.

    Raises
    ------
    RunError
        If another process is.
    """
    with _lock(folder):
        ticket = _ticket(folder)
        queued = ticket.queued if ticket and ticket.worker is None else time.time()
        try:
            _write_ticket(folder, _Ticket(queued, _Process.of(os.getpid())))
            yield
        finally:
            _take_away(folder)


@contextlib.contextmanager
def keep_out(folder: Path) -> Iterator[None]:
    """Let no worker into a folder while the block runs, without being one.

    What the last worker left to be known by is taken away, so that nobody who
    wants to stop it ends another process.

    Raises
    ------
    RunError
        If there is a worker.
    """
    with _lock(folder):
        _take_away(folder)
        yield


def is_alive(folder: Path) -> bool:
    """Whether a worker holds the folder.

    Any number may look at the same time: they share the lock for a moment, and none
    takes another for the worker.
    """
    try:
        file = (folder / _LOCK).open("rb")
    except FileNotFoundError:
        return False
    with file:
        return not _can_share(file.fileno(), folder / _LOCK)


def _can_share(descriptor: int, path: Path) -> bool:
    """Whether nobody holds a lock file, which is open under this descriptor, alone."""
    if fcntl is None:  # Windows knows no lock that is shared: a look may be mistaken
        try:
            with FileLock(path, timeout=0):
                return True
        except Timeout:
            return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True  # closing the file lets the lock go


def is_starting(folder: Path) -> bool:
    """Whether a worker was started a moment ago and does not hold its lock yet."""
    reap()
    ticket = _ticket(folder)
    if ticket is None or ticket.worker is not None:
        return False
    launched = _read(folder / _LAUNCHED)
    if launched is not None and launched.queued == ticket.queued:
        return launched.worker is not None and launched.worker.lives
    return is_recent(ticket.queued, START_TIME)


def is_recent(seconds: float, limit: float) -> bool:
    """Whether a moment, as `time.time` has it, lies at most `limit` seconds back.

    What lies in the future does not: the clock was set back.
    """
    return -_CLOCK_ERROR < time.time() - seconds < limit


def reserve(folder: Path) -> float:
    """Let a folder wait for a worker that is about to be started.

    Returns
    -------
    float
        Since when it waits, in seconds, for `start`.

    Raises
    ------
    RunError
        If the folder cannot be written.
    """
    queued = time.time()
    try:
        _write_ticket(folder, _Ticket(queued, None))
    except OSError as error:
        raise _not_started(folder, error) from error
    return queued


def start(folder: Path, arguments: Sequence[str], queued: float) -> None:
    """Start `python -m audiomnist` with these arguments as the folder's worker.

    It outlives this process. One core is left to others, see `n_threads`. Nothing is
    started if the folder no longer waits, as when it was cancelled meanwhile, and it
    does not wait on if no process can be started.

    Parameters
    ----------
    folder
        A folder that is reserved.
    arguments
        Of the command line.
    queued
        What `reserve` returned.

    Raises
    ------
    RunError
        If the process cannot be started.
    """
    reap()
    if queued_at(folder) != queued:
        return
    environment = dict(os.environ)
    paths = [str(REPOSITORY), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    environment["AUDIOMNIST_HOME"] = str(settings().home.absolute())
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment.setdefault(variable, str(n_threads()))
    try:
        with (folder / OUTPUT).open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "audiomnist", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
    except OSError as error:
        _take_away(folder)
        raise _not_started(folder, error) from error
    _started[folder] = process
    # Not in the ticket, in which the new process may already have its say.
    _write(folder / _LAUNCHED, _Ticket(queued, _Process.of(process.pid)))


def stop(folder: Path) -> None:
    """End the folder's worker, wherever it is in its work, and wait for its end.

    Raises
    ------
    RunError
        If the worker is this process, which does not end itself.
    """
    mine = _started.get(folder)
    polite_until = time.monotonic() + _POLITE
    while True:
        is_mine = mine is not None and mine.poll() is None
        if not is_mine and not is_alive(folder):
            return
        is_polite = time.monotonic() < polite_until
        end = signal.SIGTERM if is_polite else _KILL
        ticket = _ticket(folder)
        other = ticket.worker if ticket else None
        if mine is not None and is_mine:
            mine.send_signal(end)
        elif other is not None and other.pid == os.getpid():
            if not is_polite:
                raise RunError(
                    f"{folder.name} is being trained by this process. Wait for it."
                )
        elif other is not None and other.lives:
            with contextlib.suppress(ProcessLookupError):
                os.kill(other.pid, end)
        time.sleep(_POLL)


def reap() -> None:
    """Take note of the processes that have ended."""
    for process in list(_started.values()):
        process.poll()


def queued_at(folder: Path) -> float | None:
    """When the folder began to wait for a worker's turn, in seconds; None if not."""
    ticket = _ticket(folder)
    return ticket.queued if ticket else None


def queued_folders(root: Path) -> list[Path]:
    """The folders below `root` that wait for a worker or have one, oldest first."""
    tickets = [path.parent for path in root.glob(f"*/{_TICKET}")]
    return sorted(tickets, key=lambda folder: (queued_at(folder) or 0.0, folder.name))


def last_words(folder: Path) -> str:
    """The last line that a worker printed, or ""; TensorFlow's chatter aside."""
    try:
        lines = (folder / OUTPUT).read_text(errors="replace").split("\n")
    except OSError:
        return ""
    spoken = (line.strip() for line in reversed(lines) if not _CHATTER.match(line))
    return next((line for line in spoken if line), "")


def _not_started(folder: Path, error: OSError) -> RunError:
    """Say in a sentence why there is no worker."""
    return RunError(
        f"No process could be started for {folder.name} ({error.strerror}). "
        "Free memory or disk space and start it again."
    )


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, or refuse if a worker does."""
    lock = FileLock(folder / _LOCK, timeout=_LOCK_TIME)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunError(
            f"{folder.name} is being trained by another process. Wait for it or "
            "cancel it."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _take_away(folder: Path) -> None:
    """Remove what tells of a worker."""
    for name in (_TICKET, _LAUNCHED):
        (folder / name).unlink(missing_ok=True)


def _write_ticket(folder: Path, ticket: _Ticket) -> None:
    """Say since when the folder waits, and which process works there."""
    _write(folder / _TICKET, ticket)


def _write(path: Path, ticket: _Ticket) -> None:
    """Write a ticket as JSON."""
    worker = ticket.worker
    content = {
        "queued": ticket.queued,
        "pid": None if worker is None else worker.pid,
        "started": None if worker is None else worker.started,
    }
    write_atomically(path, json.dumps(content).encode())


def _ticket(folder: Path) -> _Ticket | None:
    """What `_write_ticket` wrote; None if there is none or it is damaged."""
    return _read(folder / _TICKET)


def _read(path: Path) -> _Ticket | None:
    """What `_write` wrote; None if there is none or it is damaged."""
    try:
        ticket = json.loads(path.read_bytes())
        queued, pid = float(ticket["queued"]), ticket["pid"]
        if pid is None:
            return _Ticket(queued, None)
        return _Ticket(queued, _Process(int(pid), float(ticket["started"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
