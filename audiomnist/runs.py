"""Runs as work: put into the queue, trained in a process of its own, stopped.

Owns the queue, and the steps of a run from recordings to an evaluated model. What is
written when a step fails is `run_outcomes`', the folder itself `run_folders`', the
process `workers`'. How well the model hears is for `evaluation`, the next step.
"""

import contextlib
import os
import platform
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from filelock import FileLock

from audiomnist import workers
from audiomnist.corpora import library
from audiomnist.corpora.library import load_corpus
from audiomnist.corpora.splits import Split
from audiomnist.errors import RunError
from audiomnist.evaluation.evaluate import evaluate
from audiomnist.evaluation.files import save_evaluation
from audiomnist.history import EpochMetrics, best_epoch
from audiomnist.networks.config import N_MOVED
from audiomnist.networks.files import load_network
from audiomnist.recognition.calibration import (
    COVERAGE,
    choose_threshold,
    fit_temperature,
    probabilities_of,
)
from audiomnist.recognition.litert import LiteRTNetwork
from audiomnist.recognition.models import FINISHED, LITERT, WEIGHTS, Model
from audiomnist.run_configs import RunConfig
from audiomnist.run_data import prepare
from audiomnist.run_folders import (  # noqa
    CANCELLED,
    ENDED,
    Run,
    RunConfig,
    create,
    delete_run,
    find_run,
    list_runs,
    preset,
    update,
)
from audiomnist.run_outcomes import Outcome, end, writing
from audiomnist.run_progress import (
    Report,
    RunProgress,  # noqa
)
from audiomnist.settings import settings, writable_folder
from audiomnist.storage import UNFINISHED
from audiomnist.training import CHECKPOINT, train

_TURN_LOCK = ".turn.lock"

_TURN_POLL = 0.5  # s between two looks at the queue

_NICENESS = 10  # the server comes first

_PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "numpy", "soundfile", "soxr")


def launch(run: Run) -> None:
    """Start a process that trains a waiting run when its turn comes.

    Raises
    ------
    RunError
        If too many runs wait already, the run is not waiting to be started, or
        the process cannot be started.
    """
    here = settings()
    with _queue():
        if run.state in ENDED or workers.queued_at(run.folder) is not None:
            raise RunError(
                f"The run {run.id} is {run.state} and cannot be started a second "
                "time. Resume it, or make a new one."
            )
        n_waiting = sum(other.state == "waiting" for other in _queued_runs())
        n_busy = sum(other.state == "running" for other in _queued_runs()) + n_waiting
        if n_busy >= here.max_running + here.max_waiting:
            raise RunError(
                f"{n_waiting} runs wait for their turn already; this server lets "
                f"{here.max_waiting} wait. Cancel one or try again later."
            )
        workers.start(run.folder, ["train", "--run", run.id])


def resume(run: Run) -> None:
    """Start a cancelled or failed run again, after its last epoch.

    Raises
    ------
    RunError
        If it is neither, or `launch` refuses; it then stays as it was.
    """
    before = requeue(run)
    try:
        launch(run)
    except RunError:
        with writing(run):
            update(run, **before)
        raise


def requeue(run: Run) -> dict[str, Any]:
    """Let a cancelled or failed run wait again, to be launched or executed.

    Returns
    -------
    dict[str, Any]
        The entries of its record that were changed, as they were.

    Raises
    ------
    RunError
        If it is in another state, or its folder cannot be written.
    """
    state, message = run.state, run.message
    if state not in ENDED or state == FINISHED:
        raise RunError(
            f"The run {run.id} is {state}; only a cancelled or failed one can be "
            "resumed."
        )
    with writing(run), workers.keep_out(run.folder):
        (run.folder / CANCELLED).unlink(missing_ok=True)
        now = datetime.now(UTC).isoformat()
        update(run, state="waiting", message="", waiting_since=now)
    return {"state": state, "message": message}


def cancel(run: Run) -> None:
    """Stop a run wherever it is; one that has ended stays as it is.

    Its epochs are kept, and `resume` goes on from there.

    Raises
    ------
    RunError
        If its folder cannot be written.
    """
    if run.state in ENDED:
        return
    with writing(run):
        (run.folder / CANCELLED).touch()
        workers.stop(run.folder)
        with workers.keep_out(run.folder):
            if run.record["state"] not in ENDED:
                end(run, "cancelled")
            (run.folder / CANCELLED).unlink(missing_ok=True)


def execute(
    run: Run,
    evaluate: Callable[[Run], None],
    on_epoch: Callable[[EpochMetrics], None] | None = None,
) -> None:
    """Train a waiting run in this process, from its turn in the queue to the end.

    The state and all figures are written to the run's folder. An error is
    written there as well, then raised.

    Parameters
    ----------
    run
        A run that waits.
    evaluate
        Hears the test part with the trained model and leaves the result in the
        run's folder.
    on_epoch
        Called after each epoch, when it is written.

    Raises
    ------
    RunError
        If the run does not wait or has a worker already, its corpora are not
        those that it began with, or a file cannot be read or written.
    AudioMnistError
        What a step raises.
    """
    with writing(run), workers.hold(run.folder):
        if run.state != "waiting":
            raise RunError(f"The run {run.id} is {run.state} and not waiting.")
        # The outcome is told in a sentence too.
        with Outcome(run) as outcome, writing(run):
            report = Report(run.folder, run.config.training.epochs, outcome.check)
            report.show("waiting", 0)
            _wait_for_turn(run)
            if hasattr(os, "nice"):
                os.nice(max(0, _NICENESS - os.nice(0)))
            _train(run, report, evaluate, on_epoch)


def _train(
    run: Run,
    report: Report,
    evaluate: Callable[[Run], None],
    on_epoch: Callable[[EpochMetrics], None] | None,
) -> None:
    """From recordings to a finished run."""

    def end_epoch(metrics: EpochMetrics) -> None:
        report.end_epoch(metrics)
        if on_epoch is not None:
            on_epoch(metrics)

    config = run.config
    for leftover in run.folder.glob(f"{UNFINISHED}*"):
        leftover.unlink()
    report.show("preparing", 0)
    split = config.split()
    _describe(run, config, split)
    data = prepare(split, config, report.prepare)
    report.begin_training(len(run.history))
    train(
        config.network,
        config.training,
        data,
        run.folder,
        on_epoch=end_epoch,
        on_batch=report.end_batch,
        resume=True,
    )
    history = run.history
    report.show("evaluating", len(history))
    n_moved = N_MOVED.get(config.network.kind, 0)
    knows_others = data.others is not None
    served = LiteRTNetwork(
        run.folder / LITERT, config.features.shape, n_moved, knows_others=knows_others
    )
    logits = served.hear(data.validation)["logits"]
    temperature = fit_temperature(
        logits, data.validation_digits, knows_others=knows_others
    )
    probabilities = probabilities_of(logits, temperature, knows_others=knows_others)
    update(
        run,
        n_parameters=int(load_network(run.folder / WEIGHTS).count_params()),
        knows_others=knows_others,
        n_moved=n_moved,
        temperature=temperature,
        coverage=COVERAGE,
        threshold=choose_threshold(probabilities),
        best_epoch=best_epoch(history).epoch,
        seconds=sum(metrics.seconds for metrics in history),
        processor_seconds=sum(metrics.processor_seconds for metrics in history),
    )
    evaluate(run)
    end(run, FINISHED)
    (run.folder / CHECKPOINT).unlink(missing_ok=True)


def _describe(run: Run, config: RunConfig, split: Split) -> None:
    """Write what the training is made of, and refuse what is no longer the same."""
    digests = {name: load_corpus(name).digest for name in config.corpora}
    begun = run.record.get("corpora", digests)
    if run.history and begun != digests:
        changed = [name for name in digests if digests[name] != begun.get(name)]
        raise RunError(
            f"The corpus {', '.join(changed)} has changed since the run {run.id} "
            "began. Start a new run."
        )
    versions = {name: version(name) for name in _PACKAGES}
    update(
        run,
        corpora=digests,
        split={
            "rule": split.rule,
            "seed": split.seed,
            "digest": split.digest,
            **{part: len(clips) for part, clips in split.parts.items()},
        },
        versions={"python": platform.python_version(), **versions},
    )


def _wait_for_turn(run: Run) -> None:
    """Wait until no older run waits and a place is free, then take it."""
    while True:
        with _queue():
            others = [other for other in _queued_runs() if other != run]
            mine = workers.queued_at(run.folder) or 0.0
            n_running = sum(other.state == "running" for other in others)
            is_next = not any(
                other.state == "waiting"
                and (workers.queued_at(other.folder) or 0.0, other.id) < (mine, run.id)
                for other in others
            )
            if is_next and n_running < settings().max_running:
                update(run, state="running")
                return
        time.sleep(_TURN_POLL)


@contextlib.contextmanager
def _queue() -> Iterator[None]:
    """Let one process at a time look at the queue and change it."""
    with FileLock(writable_folder(settings().runs) / _TURN_LOCK):
        yield


def _queued_runs() -> list[Run]:
    """Runs that wait or work, the oldest first; damaged ones are left out."""
    found = []
    for folder in workers.queued_folders(settings().runs):
        with contextlib.suppress(RunError):
            found.append(find_run(folder.name))
    return found


def evaluate_run(run: Run) -> None:
    """Let a run's model hear the test part of its split, and save the answers.

    A model that knows what is no digit hears the test part of the other words too.

    Raises
    ------
    CorpusError
        If a corpus of the run is not here.
    AudioError
        If a recording cannot be read.
    ModelError
        If the run has no model yet or its folder cannot be written.
    """
    config = run.config
    # A corpus that is a folder has no name that another machine knows.
    names = [name for name in config.corpora if name in library.available()]
    model, split = Model.load(run.folder), config.split()
    others = config.split_others(split)["test"] if model.knows_others else ()
    save_evaluation(
        evaluate(model, split.test, corpora=names, others=others), run.folder
    )
