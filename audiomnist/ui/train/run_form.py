"""The train page's form: what to train, on what, and how."""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from audiomnist.corpora import library
from audiomnist.corpora.catalogue import CORPORA
from audiomnist.corpora.other_words import EMBEDDED, available_other_words
from audiomnist.corpora.split_rules import RULES
from audiomnist.errors import RunError
from audiomnist.networks.architectures import ARCHITECTURES
from audiomnist.runs.config import RunConfig
from audiomnist.runs.folder import ENDED, Run, create_run, delete_run
from audiomnist.runs.presets import preset
from audiomnist.runs.queue import launch_run
from audiomnist.training.config import AugmentationConfig, TrainConfig
from audiomnist.ui import cached, layout, state, titles

_BATCH_SIZES = (16, 32, 64, 128, 256)
_LEARNING_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
_MAX_EPOCHS = 100

_DOUBLE_CLICK = 3.0  # s
_ONE_EACH = threading.Lock()
"""Held for no longer than it takes to look a visitor's own lock up."""


def ask() -> RunConfig | None:
    """Let the visitor set up a run; return it when the start is pressed."""
    kind = st.pills(
        "Network",
        tuple(ARCHITECTURES),
        format_func=lambda name: ARCHITECTURES[name].title,
        required=True,
        default="cnn",
        key=state.TRAIN_KIND,
        bind="query-params",
        persist_state="session",
        help=" ".join(f"{each.title}: {each.gist}." for each in ARCHITECTURES.values()),
    )
    network = ARCHITECTURES[kind]
    st.caption(network.sentence)
    names = st.multiselect(
        "Corpora",
        library.available(),
        default=["embedded"],
        format_func=titles.short_corpus_title,
        key=state.TRAIN_CORPORA,
        bind="query-params",
        persist_state="session",
        help="Recordings to train on and test on; you can choose several.",
    )
    synthetic = [name in CORPORA and CORPORA[name].is_synthetic for name in names]
    if any(synthetic):
        which = "These voices" if all(synthetic) else "Some of these voices"
        st.caption(f"{which} are synthetic: no person recorded them.")
    rule, held_out = _ask_split(names)
    training = _ask_epochs(kind, preset(kind).training)
    # What seldom needs another value is folded, so that the start is in sight.
    with st.expander("More settings"):
        training = _ask_details(kind, training)
        title = st.text_input(
            "Name (optional)",
            placeholder=f"My first {network.title}",
            max_chars=60,
            key=state.TRAIN_TITLE,
            bind="query-params",
            persist_state="session",
            help="Helps you to find the run in the list.",
        )
    config = replace(
        preset(kind),
        title=title,
        corpora=tuple(names) or preset(kind).corpora,
        split_rule=rule,
        held_out=held_out,
        others=_other_words_of(names),
        training=training,
    )
    if names:
        layout.beware(cached.split_remarks(config), "Before you train")
    if st.button("Start training", type="primary", width="stretch"):
        if names:
            return config
        layout.empty("Choose at least one corpus, then press Start training.")
    return None


def start(config: RunConfig) -> Run:
    """Put a new run into the queue; leave nothing behind if it is refused.

    A second press in a hurry returns the run of the first.
    """
    # Filled in place: to assign to the session would end a script that a second press
    # has overtaken, and leave its run behind.
    begun: dict[RunConfig, tuple[float, Run]]
    with _ONE_EACH:
        starting = st.session_state.setdefault(state.TRAIN_STARTING, threading.Lock())
    with starting:
        begun = st.session_state.setdefault(state.TRAIN_BEGUN, {})
        if config in begun:
            since, run = begun[config]
            is_recent = time.monotonic() - since < _DOUBLE_CLICK
            if is_recent and run.folder.exists() and run.state not in ENDED:
                return run
        # Says now, and not in the worker, what cannot be split like this.
        config.split([cached.corpus(name) for name in config.corpora])
        run = create_run(config)
        begun.clear()
        try:
            begun[config] = math.inf, run  # launching may have to wait
            launch_run(run)
        except RunError:
            delete_run(run)
            raise
        begun[config] = time.monotonic(), run
    return run


def _other_words_of(names: Sequence[str]) -> tuple[str, ...]:
    """Other words to learn from: the app's own, and those that the corpora brought."""
    here = available_other_words()
    return (EMBEDDED, *(name for name in names if name in here and name != EMBEDDED))


def _ask_split(names: Sequence[str]) -> tuple[str, str]:
    """The split's rule, and the speaker or corpus to hold out if it asks for one."""
    chosen = [cached.corpus(name) for name in names]
    name = st.selectbox(
        "Split into training and test",
        [rule.name for rule in RULES.values() if rule.suits(chosen)],
        format_func=lambda name: RULES[name].title,
        key=state.TRAIN_SPLIT,
        bind="query-params",
        persist_state="session",
        help="Which clips are for training, and which are held out for the test.",
    )
    rule = RULES[name]
    st.caption(rule.explanation)
    if rule.asks_for == "speaker" and chosen:
        held_out = st.selectbox(
            "Speaker to leave out",
            [speaker for corpus in chosen for speaker in corpus.speakers],
            key=state.TRAIN_SPEAKER,
            bind="query-params",
            persist_state="session",
            help="The test clips are those of this speaker.",
        )
        return name, held_out
    if rule.asks_for == "corpus":
        held_out = st.selectbox(
            "Corpus to test on",
            names,
            format_func=titles.short_corpus_title,
            key=state.TRAIN_TESTED,
            bind="query-params",
            persist_state="session",
            help="All of it is the test part; the other corpora are for training.",
        )
        return name, held_out
    return name, ""


def _ask_epochs(kind: str, default: TrainConfig) -> TrainConfig:
    """How long to train."""
    epochs = st.slider(
        "Epochs",
        1,
        _MAX_EPOCHS,
        default.epochs,
        key=f"{state.TRAIN_EPOCHS}-{kind}",
        bind="query-params",
        persist_state="session",
        help="How many times the network goes through all training clips.",
    )
    return replace(default, epochs=epochs)


def _ask_details(kind: str, default: TrainConfig) -> TrainConfig:
    """How fast, and whether the clips are varied."""
    left, right = st.columns(2)
    batch_size = left.select_slider(
        "Batch size",
        sorted({*_BATCH_SIZES, default.batch_size}),
        default.batch_size,
        key=f"{state.TRAIN_BATCH}-{kind}",
        bind="query-params",
        persist_state="session",
        help="Clips per training step. Larger batches make steadier steps, smaller "
        "ones more of them.",
    )
    learning_rate = right.select_slider(
        "Learning rate",
        sorted({*_LEARNING_RATES, default.learning_rate}),
        default.learning_rate,
        format_func=lambda rate: f"{rate:g}",
        key=f"{state.TRAIN_RATE}-{kind}",
        bind="query-params",
        persist_state="session",
        help="Size of each step. If it is too large, the loss jumps about; if it is "
        "too small, training takes forever.",
    )
    is_augmented = st.toggle(
        "Vary the clips (augmentation)",
        default.augmentation is not None,
        key=f"{state.TRAIN_VARIED}-{kind}",
        bind="query-params",
        persist_state="session",
        help="In every epoch each clip gets another tempo, another room and other "
        "noise. Training takes longer, but the model copes better with unknown "
        "speakers and microphones.",
    )
    rejects_other_words = st.toggle(
        "Learn to reject other words",
        default.others_part > 0,
        key=f"{state.TRAIN_REJECTS}-{kind}",
        bind="query-params",
        persist_state="session",
        help="The network is also trained on other words, noises and mangled digits, "
        "so that it can answer “not a digit”.",
    )
    augmentation = default.augmentation or AugmentationConfig()
    others_part = default.others_part or TrainConfig.others_part
    return replace(
        default,
        batch_size=batch_size,
        learning_rate=learning_rate,
        augmentation=augmentation if is_augmented else None,
        others_part=others_part if rejects_other_words else 0.0,
    )
