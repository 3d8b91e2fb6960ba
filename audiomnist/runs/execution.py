"""The steps of a run, from clips to an evaluated model.

Owns their order and what they write to the run's folder. What is written when one
fails is for `outcome`.
"""

import os
import platform
from collections.abc import Callable
from importlib.metadata import version

from audiomnist.corpora import library
from audiomnist.corpora.library import load_corpus
from audiomnist.corpora.splits import Split
from audiomnist.errors import RunError
from audiomnist.evaluation.evaluate import evaluate
from audiomnist.evaluation.files import save_evaluation
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
from audiomnist.runs import worker
from audiomnist.runs.config import RunConfig
from audiomnist.runs.data import prepare
from audiomnist.runs.folder import Run, update_record
from audiomnist.runs.outcome import Outcome, end_run, writing
from audiomnist.runs.progress import Report
from audiomnist.runs.queue import wait_for_turn
from audiomnist.storage import UNFINISHED
from audiomnist.training.history import EpochMetrics, best_epoch
from audiomnist.training.loop import CHECKPOINT, train

_NICENESS = 10  # the server comes first

_PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "numpy", "soundfile", "soxr")


def execute_run(
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
    with writing(run), worker.hold(run.folder):
        if run.state != "waiting":
            raise RunError(f"The run {run.id} is {run.state} and not waiting.")
        # The outcome is told in a sentence too.
        with Outcome(run) as outcome, writing(run):
            report = Report(run.folder, run.config.training.epochs, outcome.check)
            report.show("waiting", 0)
            wait_for_turn(run)
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
    logits = served.logits(data.validation)
    temperature = fit_temperature(
        logits, data.validation_digits, knows_others=knows_others
    )
    probabilities = probabilities_of(logits, temperature, knows_others=knows_others)
    update_record(
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
    end_run(run, FINISHED)
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
    update_record(
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
