"""python -m audiomnist train, recipe, runs: train a network, and manage the runs."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from audiomnist.commands.bars import epoch_bar
from audiomnist.errors import RunError

if TYPE_CHECKING:
    from audiomnist.runs.config import RunConfig
    from audiomnist.runs.folder import Run
    from audiomnist.training.history import EpochMetrics

_NETWORK = "cnn"


@dataclass(frozen=True)
class _Settings:
    """The settings of a new run as they were given; None or empty: as the preset."""

    network: str | None
    corpus: tuple[str, ...]
    split: str | None
    held_out: str | None
    others: tuple[str, ...]
    others_part: float | None
    speaker_balance: float | None
    synthetic_weight: float | None
    seed: int | None
    epochs: int | None
    batch_size: int | None
    learning_rate: float | None
    patience: int | None
    augment: bool | None
    title: str | None

    @property
    def given(self) -> list[str]:
        """The options that were given."""
        return [
            f"--{name.replace('_', '-')}"
            for name, value in vars(self).items()
            if value not in (None, ())
        ]

    def config(self) -> "RunConfig":
        """The preset of the network with whatever was asked for in its place."""
        from audiomnist.runs.presets import preset
        from audiomnist.training.config import AugmentationConfig

        basis = preset(self.network or _NETWORK)
        training = _given(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            patience=self.patience,
            seed=self.seed,
            others_part=self.others_part,
            speaker_balance=self.speaker_balance,
            synthetic_weight=self.synthetic_weight,
        )
        if self.augment is not None:
            default = basis.training.augmentation or AugmentationConfig()
            training["augmentation"] = default if self.augment else None
        return replace(
            basis,
            training=replace(basis.training, **training),
            **_given(
                title=self.title,
                corpora=self.corpus or None,
                split_rule=self.split,
                split_seed=self.seed,
                held_out=self.held_out,
                others=self.others or None,
            ),
        )


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


class _NetworkOption(click.Option):
    """An option for the network; the networks are loaded only to be listed."""

    def get_help_record(self, context: click.Context) -> tuple[str, str] | None:
        """What the help shows: the networks by their names."""
        from audiomnist.networks.architectures import ARCHITECTURES

        self.help = f"{', '.join(ARCHITECTURES)} (if not given: {_NETWORK})."
        return super().get_help_record(context)


class _SplitOption(click.Option):
    """An option for the split rule; the rules are loaded only to be explained."""

    def get_help_record(self, context: click.Context) -> tuple[str, str] | None:
        """What the help shows: what each rule means."""
        from audiomnist.corpora.split_rules import RULES

        rules = (f"{rule.name}: {rule.explanation}" for rule in RULES.values())
        self.help = (
            f"How clips are split into training and test, one of: {' '.join(rules)}"
        )
        return super().get_help_record(context)


@click.command(short_help="train a network")
@click.option("--resume", metavar="ID", help="Continue a stopped run.")
@click.option(
    "--run", metavar="ID", help="Work on a run that was created (used by the app)."
)
@click.option("--network", metavar="NAME", cls=_NetworkOption)
@click.option(
    "--corpus",
    metavar="NAME",
    multiple=True,
    help="Corpus to learn from (see data list); may be given several times.",
)
@click.option("--split", metavar="RULE", cls=_SplitOption)
@click.option(
    "--held-out",
    metavar="NAME",
    help="The speaker or corpus to test on, if RULE needs one.",
)
@click.option(
    "--others",
    metavar="NAME_OR_FOLDER",
    multiple=True,
    help="Other words, which are not digits, to learn to reject: embedded (if "
    "not given), or a folder; may be given several times.",
)
@click.option(
    "--others-part",
    metavar="PART",
    type=float,
    help="Other words, noises and mangled digits in an epoch, as a part of the clips "
    "of digits; 0: none.",
)
@click.option(
    "--speaker-balance",
    metavar="PART",
    type=float,
    help="0 draws each clip equally often, 1 each speaker; or anything between.",
)
@click.option(
    "--synthetic-weight",
    metavar="WEIGHT",
    type=float,
    help="How often synthetic voices are drawn, relative to recorded ones.",
)
@click.option("--seed", type=int, help="Seed of the split and of the training.")
@click.option("--epochs", type=int, help="Passes over the training clips, at most.")
@click.option("--batch-size", type=int, help="Clips in one training step.")
@click.option(
    "--learning-rate",
    type=float,
    help="The highest learning rate; it rises to it, then falls.",
)
@click.option(
    "--patience",
    type=int,
    help="Epochs without progress after which it stops; 0: never.",
)
@click.option(
    "--augment/--no-augment",
    default=None,
    help="Vary tempo, voice and noise of the clips from epoch to epoch.",
)
@click.option("--title", metavar="TITLE", help="A name for the run.")
def train(resume: str | None, run: str | None, **settings: Any) -> None:
    """Train a network in this process and keep it as a run.

    Prints each epoch and evaluates the model on the test part. Ctrl-C stops it;
    --resume continues after the last epoch. All options but --resume and --run are
    settings of a new run; what is not given is set as on the Train page.
    """
    if resume and run:
        raise click.UsageError("--run is not allowed with --resume.")
    asked = _Settings(**settings)
    if start := "--run" if run else "--resume" if resume else "":
        _refuse_settings(start, asked.given)
    chosen = _run_to_train(resume, run, asked)
    print(f"Run {chosen.id}", flush=True)
    _train(chosen)
    _print_outcome(chosen)


def _refuse_settings(start: str, given: list[str]) -> None:
    """Refuse settings of a new run for one that has its own."""
    if given:
        raise RunError(
            f"{start} continues with the run's own settings and takes no "
            f"{', '.join(given)}. Leave that out, or start a new run without {start}."
        )


def _run_to_train(resume: str | None, run: str | None, asked: _Settings) -> "Run":
    """The run that was named, or a new one."""
    from audiomnist.corpora.checks import check_split
    from audiomnist.runs.clips import resolve_clips
    from audiomnist.runs.folder import create_run, find_run
    from audiomnist.runs.queue import requeue_run

    if run:
        return find_run(run)
    if resume:
        stopped = find_run(resume)
        requeue_run(stopped)
        return stopped
    config = asked.config()
    clips = resolve_clips(config)  # what is wrong shows before there is a run
    for sentence in check_split(clips.split, clips.corpora.values()).sentences():
        print(f"Beware: {sentence}", flush=True)
    return create_run(config)


def _train(run: "Run") -> None:
    """Train in this process, printing epochs."""
    from audiomnist.runs.execution import execute_run

    n_epochs = run.config.training.epochs
    with epoch_bar(n_epochs, len(run.history)) as end_epoch:
        execute_run(run, lambda m: end_epoch(m.epoch, _epoch_line(m, n_epochs)))


def _print_outcome(run: "Run") -> None:
    """Print how the test went, and where the model is."""
    from audiomnist.evaluation.files import load_evaluation
    from audiomnist.evaluation.metrics import few_speakers

    tested = load_evaluation(run.folder)
    print(f"Test part: {tested.accuracy}")
    if few := few_speakers({clip.speaker for clip in tested.clips}):
        print(few)
    print(f"The model is called {run.id} and lies in {run.folder}")


def _epoch_line(metrics: "EpochMetrics", n_epochs: int) -> str:
    """One line about an epoch."""
    return (
        f"epoch {metrics.epoch} of {n_epochs}: loss {metrics.loss:.3f}, accuracy "
        f"{metrics.accuracy:.1%}; validation loss {metrics.val_loss:.3f}, accuracy "
        f"{metrics.val_accuracy:.1%}; {metrics.seconds:.1f} s"
    )


@click.command(short_help="train one of the models that come with the app again")
@click.argument("name", metavar="NAME")
@click.option(
    "--corpus",
    "corpora",
    metavar="NAME",
    multiple=True,
    help="Corpus to learn from (default: all that are here, see data list).",
)
@click.option(
    "--others",
    metavar="NAME_OR_FOLDER",
    multiple=True,
    help="Other words, which are not digits (default: all that are here).",
)
def recipe(name: str, corpora: tuple[str, ...], others: tuple[str, ...]) -> None:
    """Train the model NAME (best, cnn or ann) as the one in the app was trained.

    One run holds out whole speakers and calibrates the model on them; a second one is
    trained on all corpora on this machine and replaces the model in the folder of
    models. On two cores, ann takes minutes, cnn and best most of an hour, and hours
    with the large corpora. Ctrl-C stops it; the same command continues where it
    stopped.
    """
    from audiomnist.recipes.models import find_recipe, follow

    n_epochs = find_recipe(name).epochs
    end_epoch: Callable[[int, str], None]

    def begin(step: int, n_steps: int, run: "Run") -> None:
        nonlocal end_epoch
        bar.close()  # of the last step
        print(f"Step {step} of {n_steps}: {run.config.title}, run {run.id}", flush=True)
        end_epoch = bar.enter_context(epoch_bar(n_epochs, len(run.history)))

    with ExitStack() as bar:
        folder = follow(
            name,
            corpora,
            others,
            on_step=begin,
            on_epoch=lambda m: end_epoch(m.epoch, _epoch_line(m, n_epochs)),
        )
    print(f"The model {name} lies in {folder}")


@click.group(
    no_args_is_help=False, short_help="list, cancel, resume and delete training runs"
)
def runs() -> None:
    """The training runs on this machine: waiting, running and ended."""


_run_id = click.argument("run_id", metavar="ID")


@runs.command("list", short_help="all runs, the newest first")
def list_all() -> None:
    """List all runs, the newest first."""
    from audiomnist.runs.folder import list_runs
    from audiomnist.training.history import best_epoch

    everything = list_runs()
    if not everything:
        print("No runs yet. Start one with python -m audiomnist train, or on the page.")
    for run in everything:
        history = run.history
        kept = best_epoch(history).val_accuracy if history else None
        accuracy = "" if kept is None else f", {kept:.1%} on validation"
        epochs = f"{len(history)} of {run.config.training.epochs} epochs{accuracy}"
        print(f"{run.id:<28} {run.state:<10} {epochs}  {run.config.title}".rstrip())
        if run.message:
            print(f"  {run.message}")


@runs.command(short_help="stop a run; its epochs so far are kept")
@_run_id
def cancel(run_id: str) -> None:
    """Stop the run ID (see runs list); its epochs so far are kept."""
    from audiomnist.runs.folder import find_run
    from audiomnist.runs.queue import cancel_run

    cancel_run(find_run(run_id))
    print(f"{run_id} was cancelled.")


@runs.command(short_help="continue a stopped run in the background")
@_run_id
def resume(run_id: str) -> None:
    """Continue the stopped run ID (see runs list) in the background."""
    from audiomnist.runs.folder import find_run
    from audiomnist.runs.queue import resume_run

    resume_run(find_run(run_id))
    print(f"{run_id} continues in the background; see runs list.")


@runs.command(short_help="delete a run and its model")
@_run_id
def delete(run_id: str) -> None:
    """Delete the run ID (see runs list) and its model."""
    from audiomnist.runs.folder import delete_run, find_run

    delete_run(find_run(run_id))
    print(f"{run_id} was deleted.")


@runs.command(short_help="copy a finished run's model to the shipped models")
@_run_id
@click.argument("name", metavar="NAME")
def publish(run_id: str, name: str) -> None:
    """Copy the model of the finished run ID (see runs list) to the shipped models.

    There it is called NAME and gets a model card.
    """
    from audiomnist.recipes.publishing import publish
    from audiomnist.runs.folder import find_run

    folder = publish(find_run(run_id), name)
    print(f"The model {name} lies in {folder}")
