"""python -m audiomnist train, runs: train a network, and see to the runs there are."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from audiomnist.errors import RunError

if TYPE_CHECKING:
    from audiomnist.runs.config import RunConfig
    from audiomnist.runs.folder import Run
    from audiomnist.training.history import EpochMetrics

_NETWORK = "cnn"


class _SplitOption(argparse.Action):
    """An option for the split rule; what it loads to explain them, only help needs."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Keep the name of the rule."""
        setattr(namespace, self.dest, values)

    @property
    def help(self) -> str:
        """What each rule means."""
        from audiomnist.corpora.split_rules import RULES

        rules = (f"{rule.name}: {rule.explanation}" for rule in RULES.values())
        text = f"what trains and what tests, by one of these rules. {' '.join(rules)}"
        return text.replace("%", "%%")

    @help.setter
    def help(self, text: str | None) -> None:
        """Leave out what the option is given: the rules say it."""


def add(groups: Any) -> None:
    """Add the commands to those of the command line."""
    _add_train(groups)
    _add_recipe(groups)
    _add_runs(groups)


def _add_recipe(groups: Any) -> None:
    """Add the command recipe."""
    parser = groups.add_parser(
        "recipe",
        help="make one of the models that come with the app again",
        description="Train a model as the ones that come with the app were, on all "
        "corpora that are here, and put it into the folder of models in place of the "
        "one there: a run that keeps speakers apart and tells how sure it may be, then "
        "one on everything. On two cores, ann takes minutes, cnn and best the better "
        "part of an hour, and hours with the large corpora. Ctrl-C stops it; the same "
        "command goes on where it stopped.",
    )
    parser.add_argument("name", metavar="NAME", help="best, cnn or ann")
    parser.add_argument(
        "--corpus",
        metavar="NAME",
        action="append",
        help="corpus to learn from (default: all that are here, see data list)",
    )
    parser.add_argument(
        "--others",
        metavar="NAME_OR_FOLDER",
        action="append",
        help="recordings that are no digits (default: all that are here)",
    )
    parser.set_defaults(command=_recipe)


def _add_train(groups: Any) -> None:
    """Add the command train."""
    parser = groups.add_parser(
        "train",
        help="train a network",
        description="Train a network in this process, print each epoch, evaluate the "
        "model on the test part and keep it as a run. Ctrl-C stops it; --resume goes "
        "on from the last epoch. Whatever is not given is as the Train page has it.",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--resume", metavar="ID", help="go on with a stopped run")
    start.add_argument(
        "--run", metavar="ID", help="work on a run that was created (used by the app)"
    )
    add = parser.add_argument_group("settings of a new run").add_argument
    settings = [
        add(
            "--network",
            metavar="KIND",
            help="cnn (if not given), ann, resnet, ensemble, pretrained, team",
        ),
        add(
            "--corpus",
            metavar="NAME",
            action="append",
            help="corpus to learn from (see data list); may be given several times",
        ),
        add(
            "--split",
            metavar="RULE",
            action=_SplitOption,
        ),
        add(
            "--held-out",
            metavar="NAME",
            help="the speaker or corpus to test on, for a RULE that has one chosen",
        ),
        add(
            "--others",
            metavar="NAME_OR_FOLDER",
            action="append",
            help="recordings that are no digits, to learn that from: embedded (if not "
            "given), or a folder; may be given several times",
        ),
        add(
            "--others-part",
            metavar="PART",
            type=float,
            help="sounds that are no digits in an epoch, as a part of the clips; 0: "
            "none",
        ),
        add(
            "--speaker-balance",
            metavar="PART",
            type=float,
            help="0 hears each clip equally often, 1 each speaker",
        ),
        add(
            "--synthetic-weight",
            metavar="WEIGHT",
            type=float,
            help="how often synthetic voices are heard, beside real ones",
        ),
        add("--seed", type=int, help="of the split and of the training"),
        add("--epochs", type=int, help="times each clip is heard, at most"),
        add("--batch-size", type=int, help="clips in one step"),
        add("--learning-rate", type=float, help="the highest rate"),
        add(
            "--patience",
            type=int,
            help="epochs without progress before it stops; 0 never",
        ),
        add(
            "--augment",
            action=argparse.BooleanOptionalAction,
            help="vary tempo, voice and noise of the clips from epoch to epoch",
        ),
        add("--title", help="what the run is called"),
    ]
    names = {option.dest: option.option_strings[0] for option in settings}
    parser.set_defaults(command=_train, settings=names)


def _add_runs(groups: Any) -> None:
    """Add the command runs."""
    parser = groups.add_parser(
        "runs",
        help="list, cancel, resume and delete training runs",
        description="The trainings of this machine: waiting, running and ended.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    action = actions.add_parser("list", help="all runs, the newest first")
    action.set_defaults(command=_list)
    for name, command, explanation in (
        ("cancel", _cancel, "stop a run; its epochs so far are kept"),
        ("resume", _resume, "go on with a stopped run in the background"),
        ("delete", _delete, "delete a run and its model"),
    ):
        action = actions.add_parser(name, help=explanation)
        action.add_argument("id", metavar="ID", help="the run's id (see runs list)")
        action.set_defaults(command=command)
    action = actions.add_parser(
        "publish",
        help="copy a finished run's model to the shipped models, with a card",
    )
    action.set_defaults(command=_publish)
    action.add_argument("id", metavar="ID", help="the run's id (see runs list)")
    action.add_argument("name", metavar="NAME", help="what the model is called then")


def _train(arguments: argparse.Namespace) -> None:
    """Train in this process, printing epochs."""
    from audiomnist.evaluation.files import load_evaluation
    from audiomnist.evaluation.metrics import few_speakers
    from audiomnist.runs.clips import resolve_clips
    from audiomnist.runs.execution import execute_run
    from audiomnist.runs.folder import create_run, find_run
    from audiomnist.runs.queue import requeue_run

    if arguments.run or arguments.resume:
        _refuse_settings(arguments)
    if arguments.run:
        run = find_run(arguments.run)
    elif arguments.resume:
        run = find_run(arguments.resume)
        requeue_run(run)
    else:
        config = _config(arguments)
        resolve_clips(
            config
        )  # what is wrong with the corpora shows before there is a run
        run = create_run(config)
    print(f"Run {run.id}", flush=True)
    n_epochs = run.config.training.epochs
    execute_run(run, lambda m: _print_epoch(m, n_epochs))
    tested = load_evaluation(run.folder)
    print(f"Test part: {tested.accuracy}")
    if few := few_speakers({clip.speaker for clip in tested.clips}):
        print(few)
    print(f"The model is called {run.id} and lies in {run.folder}")


def _recipe(arguments: argparse.Namespace) -> None:
    """Make a shipped model."""
    from audiomnist.recipes.models import find_recipe, follow

    n_epochs = find_recipe(arguments.name).epochs

    def begin(step: int, n_steps: int, run: "Run") -> None:
        print(f"Step {step} of {n_steps}: {run.config.title}, run {run.id}", flush=True)

    folder = follow(
        arguments.name,
        arguments.corpus or (),
        arguments.others or (),
        on_step=begin,
        on_epoch=lambda metrics: _print_epoch(metrics, n_epochs),
    )
    print(f"The model {arguments.name} lies in {folder}")


def _refuse_settings(arguments: argparse.Namespace) -> None:
    """Refuse settings of a new run for one that has its own."""
    given = [
        option
        for name, option in arguments.settings.items()
        if getattr(arguments, name) is not None
    ]
    if given:
        start = "--run" if arguments.run else "--resume"
        raise RunError(
            f"{start} goes on with the run's own settings and takes no "
            f"{', '.join(given)}. Leave that out, or start a new run without {start}."
        )


def _print_epoch(metrics: "EpochMetrics", n_epochs: int) -> None:
    """One line an epoch."""
    print(
        f"epoch {metrics.epoch} of {n_epochs}: loss {metrics.loss:.3f}, accuracy "
        f"{metrics.accuracy:.1%}; validation loss {metrics.val_loss:.3f}, accuracy "
        f"{metrics.val_accuracy:.1%}; {metrics.seconds:.1f} s",
        flush=True,
    )


def _config(arguments: argparse.Namespace) -> "RunConfig":
    """The preset of the network with whatever was asked for in its place."""
    from audiomnist.networks.config import NETWORKS
    from audiomnist.runs.presets import preset
    from audiomnist.training.config import AugmentationConfig

    if arguments.network and arguments.network not in NETWORKS:
        raise RunError(
            f"--network is {arguments.network!r}; expected {', '.join(NETWORKS)}."
        )
    basis = preset(arguments.network or _NETWORK)
    training = _given(
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        patience=arguments.patience,
        seed=arguments.seed,
        others_part=arguments.others_part,
        speaker_balance=arguments.speaker_balance,
        synthetic_weight=arguments.synthetic_weight,
    )
    if arguments.augment is not None:
        default = basis.training.augmentation or AugmentationConfig()
        training["augmentation"] = default if arguments.augment else None
    return replace(
        basis,
        training=replace(basis.training, **training),
        **_given(
            title=arguments.title,
            corpora=arguments.corpus and tuple(arguments.corpus),
            split_rule=arguments.split,
            split_seed=arguments.seed,
            held_out=arguments.held_out,
            others=arguments.others and tuple(arguments.others),
        ),
    )


def _given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _list(arguments: argparse.Namespace) -> None:
    """List all runs."""
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


def _cancel(arguments: argparse.Namespace) -> None:
    """Stop a run."""
    from audiomnist.runs.folder import find_run
    from audiomnist.runs.queue import cancel_run

    cancel_run(find_run(arguments.id))
    print(f"{arguments.id} was cancelled.")


def _resume(arguments: argparse.Namespace) -> None:
    """Go on with a run in the background."""
    from audiomnist.runs.folder import find_run
    from audiomnist.runs.queue import resume_run

    resume_run(find_run(arguments.id))
    print(f"{arguments.id} goes on in the background; see runs list.")


def _delete(arguments: argparse.Namespace) -> None:
    """Delete a run."""
    from audiomnist.runs.folder import delete_run, find_run

    delete_run(find_run(arguments.id))
    print(f"{arguments.id} was deleted.")


def _publish(arguments: argparse.Namespace) -> None:
    """Ship the model of a finished run."""
    from audiomnist.recipes.publishing import publish
    from audiomnist.runs.folder import find_run

    folder = publish(find_run(arguments.id), arguments.name)
    print(f"The model {arguments.name} lies in {folder}")
