"""The evaluate page's frame: what is evaluated, how well it went, and files of it."""

import json
from typing import Any

import streamlit as st

from audiomnist import corpora
from audiomnist.metrics import Evaluation
from audiomnist.models import Model
from audiomnist.significance import Rate
from audiomnist.splits import RULES
from audiomnist.ui import browse, cached, state

HELD_OUT = ""
"""Stands for a model's own test part, where a corpus is chosen."""


def choose_part(model: Model) -> str:
    """Let the visitor choose what to evaluate on: a corpus's name, or HELD_OUT."""

    def label(name: str) -> str:
        return f"All of {browse.title(name)}" if name else "Its own test part, held out"

    chosen: str = st.selectbox(
        "Evaluated on",
        (HELD_OUT, *corpora.available()),
        format_func=label,
        key=state.EVALUATE_ON,
        persist_state="session",
        help="Clips that the model was not trained on tell most.",
    )
    config = model.record["config"]
    if chosen == HELD_OUT:
        rule = config["split_rule"]
        of = f" ({config['held_out']})" if config["held_out"] else ""
        st.caption(
            f"Split: {rule}{of}, seed {config['split_seed']}, of "
            f"{', '.join(map(browse.title, config['corpora']))}. {RULES.get(rule, '')}"
        )
    elif chosen in config["corpora"]:
        st.warning(
            "This model was trained on a part of these clips, so the accuracy "
            "flatters. Its own test part leaves them out.",
            icon="🪞",
        )
    else:
        st.caption("The model has heard none of these recordings in training.")
    return chosen


def evaluate(name: str, part: str) -> Evaluation:
    """The model's evaluation on its own test part or on a corpus."""
    return cached.evaluate_corpus(name, part) if part else cached.held_out(name)


def show_accuracy(evaluation: Evaluation) -> None:
    """Show how often the model is right, and how sure that figure is."""
    rate = evaluation.accuracy
    n_silent = int((~evaluation.is_answered).sum())
    metrics = (
        ("Accuracy", share(rate.value), "Share of the clips that were understood."),
        (
            "95 % interval",
            f"{100 * rate.low:.1f}–{share(rate.high)}",
            "Wilson’s interval: where the accuracy on such clips lies, most likely.",
        ),
        ("Clips", f"{rate.n:,}", f"In {n_silent} of them no speech was found."),
        ("Mistakes", f"{rate.n - rate.successes:,}", "Clips not understood."),
    )
    with st.container(horizontal=True):
        for label, value, text in metrics:
            st.metric(label, value, help=text, border=True)


def offer_downloads(name: str, part: str, evaluation: Evaluation) -> None:
    """Offer the figures as files, made when they are asked for."""
    stem = f"audiomnist-{name}-{part or 'held-out'}"
    with st.container(horizontal=True):
        st.download_button(
            "Report (CSV)",
            lambda: evaluation.report().to_csv(),
            file_name=f"{stem}.csv",
            mime="text/csv",
            on_click="ignore",
            help="Precision, recall, F1 and number of clips of each digit.",
        )
        st.download_button(
            "All figures (JSON)",
            lambda: json.dumps(_figures(name, part, evaluation), indent=2),
            file_name=f"{stem}.json",
            mime="application/json",
            on_click="ignore",
            help="Accuracy with its interval, confusion matrix, report and speakers.",
        )


def _figures(name: str, part: str, evaluation: Evaluation) -> dict[str, Any]:
    """Everything that the page shows, as plain values."""
    rate = evaluation.accuracy
    return {
        "model": name,
        "evaluated_on": part or "held-out test part",
        "n": rate.n,
        "accuracy": rate.value,
        "interval": [rate.low, rate.high],
        "confusion": evaluation.confusion().tolist(),
        "report": evaluation.report().to_dict(orient="index"),
        "per_speaker": evaluation.per_speaker().to_dict(orient="records"),
    }


def share(value: float) -> str:
    """A share in percent."""
    return f"{100 * value:.1f} %"


def interval(rate: Rate) -> str:
    """A rate's interval and number of clips, in words."""
    return f"95 % interval {100 * rate.low:.1f}–{share(rate.high)}, n = {rate.n:,}"
