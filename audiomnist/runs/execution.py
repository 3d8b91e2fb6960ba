"""The steps of a run, from clips to an evaluated model.

Owns their order and what they write to the run's folder. What is written when one
fails is for `outcome`.
"""

import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version

from audiomnist.corpora import library
from audiomnist.corpora.checks import check_split
from audiomnist.errors import RunError
from audiomnist.evaluation.evaluate import evaluate
from audiomnist.evaluation.files import save_evaluation
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.networks.architectures import find_architecture
from audiomnist.networks.files import load_network
from audiomnist.recognition.calibration import Calibration
from audiomnist.recognition.litert import LiteRTNetwork
from audiomnist.recognition.models import LITERT, WEIGHTS, Model
from audiomnist.recognition.record import FINISHED, ModelRecord
from audiomnist.runs import worker
from audiomnist.runs.clips import RunClips, resolve_clips
from audiomnist.runs.config import RunConfig
from audiomnist.runs.data import prepare
from audiomnist.runs.folder import Run, update_record
from audiomnist.runs.outcome import Outcome, end_run, writing
from audiomnist.runs.progress import Report
from audiomnist.runs.queue import wait_for_turn
from audiomnist.runs.record import SplitRecord
from audiomnist.storage import UNFINISHED
from audiomnist.training.data import TrainingData
from audiomnist.training.history import EpochMetrics, best_epoch
from audiomnist.training.loop import CHECKPOINT, train

_NICENESS = 10  # the server comes first

_PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "numpy", "soundfile", "soxr")


def execute_run(
    run: Run, on_epoch: Callable[[EpochMetrics], None] | None = None
) -> None:
    """Train and test a waiting run in this process, from its turn in the queue on.

    The state and all figures are written to the run's folder. An error is
    written there as well, then raised.

    Parameters
    ----------
    run
        A run that waits.
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
            _train(run, report, on_epoch)


def _train(
    run: Run, report: Report, on_epoch: Callable[[EpochMetrics], None] | None
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
    clips = resolve_clips(config)
    _describe(run, clips)
    data = prepare(clips, config, report.prepare)
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
    report.show("evaluating", len(run.history))
    _calibrate(run, config, data)
    evaluate_run(run, clips)
    end_run(run, FINISHED)
    (run.folder / CHECKPOINT).unlink(missing_ok=True)


def _calibrate(run: Run, config: RunConfig, data: TrainingData) -> None:
    """Fit temperature and threshold on the validation part; write all that is known."""
    history = run.history
    view_shift = find_architecture(config.network.kind).view_shift
    rejects_unknown = data.negatives is not None
    served = LiteRTNetwork(
        run.folder / LITERT,
        config.features.shape,
        view_shift,
        rejects_unknown=rejects_unknown,
    )
    calibration = Calibration.fit(
        served.logits(data.validation),
        data.validation_digits,
        rejects_unknown=rejects_unknown,
        is_unknown=data.is_unknown,
    )
    update_record(
        run,
        model=ModelRecord(
            n_parameters=int(load_network(run.folder / WEIGHTS).count_params()),
            view_shift=view_shift,
            calibration=calibration,
        ),
        best_epoch=best_epoch(history).epoch,
        seconds=sum(metrics.seconds for metrics in history),
        processor_seconds=sum(metrics.processor_seconds for metrics in history),
    )


def _describe(run: Run, clips: RunClips) -> None:
    """Write what the training is made of, and refuse what is no longer the same."""
    digests = {name: corpus.digest for name, corpus in clips.corpora.items()}
    split = clips.split
    begun = run.record.corpora or digests
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
        split=SplitRecord(
            rule=split.rule.name,
            seed=split.seed,
            digest=split.digest,
            train=len(split.train),
            validation=len(split.validation),
            test=len(split.test),
        ),
        check=check_split(split, clips.corpora.values()),
        versions={"python": platform.python_version(), **versions},
    )


def evaluate_run(run: Run, clips: RunClips) -> None:
    """Let a run's model predict the test part of its clips, and save the answers.

    Raises
    ------
    CorpusError
        If a recording has gone.
    AudioError
        If a recording cannot be read.
    ModelError
        If the run has no model yet or its folder cannot be written.
    """
    # A corpus that is a folder has no name that another machine knows.
    known = library.available()
    names = [name for name in clips.corpora if name in known]
    save_evaluation(evaluate_model(Model.load(run.folder), clips, names), run.folder)


def evaluate_model(model: Model, clips: RunClips, corpora: Sequence[str]) -> Evaluation:
    """Let a model predict the test part of a run's clips.

    A model that rejects other words predicts the test part of those, too.

    Parameters
    ----------
    model
        Any that was trained on the training part of these clips.
    clips
        What the run's settings stand for.
    corpora
        Names of the corpora, as the evaluation keeps them.

    Raises
    ------
    CorpusError
        If a recording has gone.
    AudioError
        If a recording cannot be read.
    """
    words = clips.split_words["test"] if model.calibration.rejects_unknown else ()
    return evaluate(model, clips.split.test, corpora=corpora, other_words=words)
