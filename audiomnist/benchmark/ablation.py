"""What each part of a recipe is worth: the recipe with one thing changed at a time.

Every figure is that of a saved run, as in `protocol`. One seed each: differences of
about a point may be chance.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from audiomnist.augmentation import AugmentationConfig
from audiomnist.benchmark import report
from audiomnist.benchmark.protocol import evaluated
from audiomnist.recipes import recipe
from audiomnist.run_configs import RunConfig, preset
from audiomnist.significance import Rate

CORPUS = "fsdd"
HELD_OUT = "nicolas"
"""The speaker whom most networks understand least."""

_RECIPE = "cnn"
_EPOCHS, _QUICK_EPOCHS = 16, 1
_N_QUICK = 2  # changes


def _augmented(**changes: Any) -> Callable[[RunConfig], RunConfig]:
    """Another augmentation."""

    def change(config: RunConfig) -> RunConfig:
        augmentation = replace(AugmentationConfig(), **changes)
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


def _without(name: str) -> Callable[[RunConfig], RunConfig]:
    """One corpus fewer."""

    def change(config: RunConfig) -> RunConfig:
        return replace(config, corpora=tuple(c for c in config.corpora if c != name))

    return change


CHANGES: dict[str, Callable[[RunConfig], RunConfig]] = {
    "the recipe, 16 epochs": lambda config: config,
    "no augmentation": _trained(augmentation=None),
    "no rooms, babble or narrow bands": _augmented(
        reverberation_part=0.0, babble_part=0.0, band_part=0.0
    ),
    "tempo from 0.8 to 1.25 alone": _augmented(slowest=0.8, fastest=1.25),
    "no change of the vocal tract": _augmented(warp=0.0),
    "no equaliser": _augmented(equaliser_db=0.0),
    "no noise": _augmented(noise_part=0.0),
    "each band's mean taken away": _seen(normalise="bands"),
    "28 mel bands": _seen(n_mels=28),
    "52 frames": _seen(n_frames=52),
    "words stretched to one length": _seen(fit="stretch"),
    "20 MFCC in place of log-mel": _seen(kind="mfcc"),
    "no sounds that are no digits": _trained(others_part=0.0),
    "every clip equally often": _trained(speaker_balance=0.0, synthetic_weight=1.0),
    "without the neural voices": _without("neural"),
    "without the embedded voices": _without("embedded"),
    "one kind of sounds that are no digits": _built(n_others=0),
    "the ResNet in place of the CNN": lambda config: replace(
        config, network=replace(preset("resnet").network, n_others=16)
    ),
    "three CNNs in place of one": _built(kind="ensemble"),
}
"""What is changed, by what the table calls it."""


def measure(
    *, quick: bool, part: int = 0, n_parts: int = 1, saved: bool = False
) -> dict[str, Any]:
    """Train with each change, twice: one speaker left out, and without the corpus.

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
    basis = recipe(_RECIPE)
    epochs = _QUICK_EPOCHS if quick else _EPOCHS
    basis = replace(basis, training=replace(basis.training, epochs=epochs))
    if quick:
        basis = replace(basis, corpora=(CORPUS,))
    splits = [("leave_one_out", HELD_OUT)]
    if not quick:
        splits.append(("corpus", CORPUS))
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
        for name, change in list(CHANGES.items())[: _N_QUICK if quick else None]
        for rule, held_out in splits
    ]
    changes: dict[str, dict[str, Any]] = {}
    for name, config in configs[part::n_parts]:
        if found := evaluated(_RECIPE, config, saved=saved):
            changes.setdefault(name, {})[config.split_rule] = found
    return {"epochs": epochs, "held_out": HELD_OUT, "changes": changes}


def table(entry: dict[str, Any]) -> str:
    """Lay a result out: accuracies, and what each change costs or gains."""
    rules = ("leave_one_out", "corpus")
    head = ["what is changed"]
    for title in (f"{entry['held_out']} left out", "trained without any of it"):
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
            before = Rate(basis[rule]["n_correct"], basis[rule]["n"])
            points = 100 * (rate.value - before.value)
            row.append(f"{rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})")
            row.append("" if runs is basis else f"{points:+.1f}")
        rows.append(row)
    return report.markdown_table(head, rows)
