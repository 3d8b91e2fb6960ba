"""What each part of a recipe is worth: the recipe with one thing changed at a time.

Every figure is that of a saved run, as in `protocol`. One seed each: differences of
about a point may be chance.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from audiomnist.benchmark import report
from audiomnist.benchmark.protocol import evaluated
from audiomnist.configs import config_to_dict
from audiomnist.evaluation.significance import Rate
from audiomnist.networks.architectures import network_from_dict
from audiomnist.recipes.models import find_recipe
from audiomnist.runs.config import RunConfig
from audiomnist.training.config import AugmentationConfig

CORPUS = "fsdd"
HELD_OUT = "nicolas"
"""The speaker whom most networks recognize worst."""

_RECIPE, _BASIS = "best", "the recipe"
_QUICK_EPOCHS = 1
_EPOCHS_ALONE = 12
_N_QUICK = 2  # changes


def _augmented(**changes: Any) -> Callable[[RunConfig], RunConfig]:
    """Another augmentation."""

    def change(config: RunConfig) -> RunConfig:
        known = config.training.augmentation or AugmentationConfig()
        augmentation = replace(known, **changes)
        training = replace(config.training, augmentation=augmentation)
        return replace(config, training=training)

    return change


def _trained(**changes: Any) -> Callable[[RunConfig], RunConfig]:
    """Another way to learn."""
    return lambda config: replace(config, training=replace(config.training, **changes))


def _seen(**changes: Any) -> Callable[[RunConfig], RunConfig]:
    """Other features."""
    return lambda config: replace(config, features=replace(config.features, **changes))


def _built(**changes: Any) -> Callable[[RunConfig], RunConfig]:
    """Another network."""
    return lambda config: replace(config, network=replace(config.network, **changes))


def _alone(config: RunConfig) -> RunConfig:
    """The pretrained network without a CNN, in the fewer epochs that it needs."""
    settings = config_to_dict(config.network) | {"kind": "pretrained"}
    network = network_from_dict(settings)  # leaves out what is the CNN's
    training = replace(
        config.training, epochs=min(_EPOCHS_ALONE, config.training.epochs)
    )
    return replace(config, network=network, training=training)


def _without(name: str) -> Callable[[RunConfig], RunConfig]:
    """One corpus fewer."""

    def change(config: RunConfig) -> RunConfig:
        return replace(config, corpora=tuple(c for c in config.corpora if c != name))

    return change


def _recipe_of(name: str) -> Callable[[RunConfig], RunConfig]:
    """What another recipe sees, builds and does, with the same recordings."""

    def change(config: RunConfig) -> RunConfig:
        other = find_recipe(name).config(config.corpora, config.others)
        return replace(
            config,
            features=other.features,
            network=other.network,
            training=other.training,
        )

    return change


CHANGES: dict[str, Callable[[RunConfig], RunConfig]] = {
    _BASIS: lambda config: config,
    "the word alone, silence around it": _seen(fit="pad"),
    "the embedding's last nine layers learn, too": _built(n_frozen=11),
    f"the pretrained network alone, {_EPOCHS_ALONE} epochs": _alone,
    "the CNN beside it counts for half": _built(cnn_weight=0.5),
    "no word is cut off": _augmented(cut_part=0.0),
    "less of the embedding switched off (a fifth)": _built(embedding_dropout=0.2),
    "no augmentation": _trained(augmentation=None),
    "without the embedded voices": _without("embedded"),
    "no sounds that are not digits": _trained(others_part=0.0),
    "one kind of sounds that are not digits": _built(n_others=0),
    "every clip equally often": _trained(speaker_balance=0.0, synthetic_weight=1.0),
    "no noise": _augmented(noise_part=0.0),
    "no change of the vocal tract": _augmented(warp=0.0),
    "no equaliser": _augmented(equaliser_db=0.0),
    "the CNN's recipe": _recipe_of("cnn"),
    "the ANN's recipe": _recipe_of("ann"),
    "no rooms or narrow bands": _augmented(reverberation_part=0.0, band_part=0.0),
}
"""What is changed, by what the table calls it."""


def measure(
    *, quick: bool, part: int = 0, n_parts: int = 1, saved: bool = False
) -> dict[str, Any]:
    """Train with each change, twice: without the corpus, and one speaker left out.

    Parameters
    ----------
    quick
        Two changes, one epoch, one speaker left out of the corpus alone.
    part, n_parts
        Train only every `n_parts`-th of the runs, from this one on, so that several
        processes can share the work.
    saved
        Train nothing: only the runs that are finished count.

    Returns
    -------
    dict
        epochs, held_out, and changes: by name, what `protocol.evaluated` says of both.

    Raises
    ------
    CorpusError
        If the corpus is not here.
    """
    basis = find_recipe(_RECIPE).config()
    splits = [("corpus", CORPUS), ("leave_one_out", HELD_OUT)]
    if quick:
        training = replace(basis.training, epochs=_QUICK_EPOCHS)
        basis = replace(basis, corpora=(CORPUS,), training=training)
        splits = splits[1:]
    changes = dict(list(CHANGES.items())[: _N_QUICK if quick else None])
    configs = [
        (
            name,
            replace(
                change(basis),
                title=f"Ablation: {name}",
                split_rule=rule,
                held_out=held_out,
            ),
        )
        for rule, held_out in splits
        for name, change in changes.items()
        # What is not here cannot be left out.
        if name == _BASIS or change(basis) != basis
    ]
    measured: dict[str, dict[str, Any]] = {}
    for name, config in configs[part::n_parts]:
        if run := evaluated(_RECIPE, config, saved=saved):
            measured.setdefault(name, {})[config.split_rule] = run
    return {
        "epochs": basis.training.epochs,
        "held_out": HELD_OUT,
        "changes": {name: measured[name] for name in changes if name in measured},
    }


def table(entry: dict[str, Any]) -> str:
    """Lay a result out: accuracies, and what each change costs or gains."""
    rules = ("corpus", "leave_one_out")
    head = ["what is changed"]
    for title in ("trained without any of it", f"{entry['held_out']} left out"):
        head += [f"{title} (95 % interval)", "points"]
    basis = next(iter(entry["changes"].values()))
    rows = []
    for name, runs in entry["changes"].items():
        row = [name]
        for rule in rules:
            if rule not in runs:
                row += ["not measured", ""]
                continue
            rate = Rate(runs[rule]["n_correct"], runs[rule]["n"])
            row.append(report.rate_text(rate))
            points = ""
            if rule in basis and runs is not basis:
                before = Rate(basis[rule]["n_correct"], basis[rule]["n"])
                points = f"{100 * (rate.value - before.value):+.1f}"
            row.append(points)
        rows.append(row)
    return report.markdown_table(head, rows)
