"""The frame of the Evaluate page: what is evaluated, how well, and files of it."""

import json
import math
from collections.abc import Hashable
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from audiomnist.corpora import library
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.evaluation.rejection import (
    at_threshold,
    calibration,
    coverage_curve,
    expected_calibration_error,
)
from audiomnist.evaluation.significance import Rate
from audiomnist.recognition.models import Model
from audiomnist.runs.record import read_record
from audiomnist.ui import cached, layout, state, titles
from audiomnist.ui.evaluate.progress import progress_in
from audiomnist.ui.numbers import interval, share, tell_of_few_speakers

HELD_OUT = ""
"""Stands for a model's own test part, where a corpus is chosen."""


def choose_part() -> str:
    """Let the visitor choose what to evaluate on: a corpus's name, or HELD_OUT."""

    def label(name: str) -> str:
        return (
            f"All of {titles.corpus_title(name)}"
            if name
            else "Its own test part, held out"
        )

    chosen: str = st.selectbox(
        "Evaluated on",
        (HELD_OUT, *library.available()),
        format_func=label,
        key=state.EVALUATE_ON,
        persist_state="session",
        help="Clips that the model was not trained on tell you most.",
    )
    return chosen


def describe_part(model: Model, part: str) -> None:
    """Say what the model is evaluated on, and what that is worth."""
    config = read_record(model.folder).config
    if part == HELD_OUT:
        rule = config.rule
        of = f" ({layout.plain(config.held_out)})" if config.held_out else ""
        corpora_here = ", ".join(
            layout.plain(titles.corpus_title(name)) for name in config.corpora
        )
        st.caption(
            f"Recordings: {corpora_here}. Split by the rule “{rule.name}”{of}, seed "
            f"{config.split_seed}. {rule.explanation}",
            help="The seed is the number that the random choices of the split start "
            "from: the same seed gives the same split.",
        )
    elif part in config.corpora:
        st.warning(
            "This model was trained on some of these clips, so the accuracy is too "
            "optimistic. Its own test part leaves them out.",
            icon=":material/visibility:",
        )
    else:
        st.caption("The model was not trained on this corpus.")


def tell_of_clips(model: Model, part: str) -> None:
    """Say what is wrong with the clips that a model learned from and is tested on."""
    check = read_record(model.folder).check
    if check is None:
        return
    said = check.sentences() if part == HELD_OUT else check.about_digits()
    layout.beware(said, "Before you trust these figures")


def tell_of_unknown_speakers(model: Model, part: str) -> None:
    """Show the accuracy on unknown speakers where the test is on known ones."""
    measured = read_record(model.folder).strangers
    if part != HELD_OUT or measured is None:
        return
    rate = measured.accuracy
    st.info(
        "The model was also trained on other clips by the speakers in this test, which "
        "makes it look better than it is. A run with the same settings that held out "
        f"{measured.n_speakers} speakers recognized **{share(rate.value)}** "
        f"of the clips by these unknown speakers ({interval(rate)}).",
        icon=":material/group:",
    )


def evaluate(name: str, part: str, place: DeltaGenerator) -> Evaluation:
    """The model's evaluation on its own test part or on a corpus.

    While it is made, a bar in `place` says how far it is.
    """
    if not part:
        return cached.held_out(name)
    return cached.evaluate_corpus(name, part, progress_in(place))


def show_accuracy(evaluation: Evaluation) -> None:
    """Show how often the model is right, and how sure that figure is."""
    rate = evaluation.accuracy
    n_silent = int((~evaluation.is_answered).sum())
    metrics = (
        (
            "Accuracy",
            share(rate.value),
            "Share of the clips that were recognized correctly.",
        ),
        (
            "95 % interval",
            f"{100 * rate.low:.1f}–{share(rate.high)}",
            "If many more clips like these were tested, the accuracy would most "
            "likely lie in this range (Wilson’s score interval). The fewer clips, "
            "the wider it is.",
        ),
        ("Clips", f"{rate.n:,}", f"In {n_silent} of them no speech was found."),
        (
            "Mistakes",
            f"{rate.n - rate.successes:,}",
            "Clips that were not recognized correctly.",
        ),
    )
    with st.container(horizontal=True):
        for label, value, text in metrics:
            st.metric(label, value, help=text, border=True)
    tell_of_few_speakers({clip.speaker for clip in evaluation.clips})


def tell_what_is_missing(part: str, evaluation: Evaluation) -> None:
    """Say which recordings of a model's own test part are not on this machine."""
    if part != HELD_OUT:
        return
    names = {clip.corpus for clip in evaluation.clips if not clip.path.exists()}
    if not names:
        return
    missing = ", ".join(
        layout.plain(titles.corpus_title(name)) for name in sorted(names)
    )
    st.info(
        "These figures were saved with the model. The recordings that it was tested "
        f"on ({missing or 'of a folder'}) are not on this machine, so they cannot be "
        "played. Get them on the Dataset page.",
        icon=":material/volume_off:",
    )


def offer_downloads(model: Model, part: str, evaluation: Evaluation) -> None:
    """Offer the figures as files, made when they are asked for."""
    stem = f"audiomnist-{model.name}-{part or 'held-out'}"
    with st.container(horizontal=True):
        st.download_button(
            "Report (CSV)",
            lambda: evaluation.report().to_csv(),
            file_name=f"{stem}.csv",
            mime="text/csv",
            on_click="ignore",
            help="Precision, recall, F1 and number of clips for each digit.",
        )
        st.download_button(
            "All figures (JSON)",
            lambda: json.dumps(
                _figures(model, part, evaluation), indent=2, allow_nan=False
            ),
            file_name=f"{stem}.json",
            mime="application/json",
            on_click="ignore",
            help="Accuracy with its interval, confusion matrix, report, accuracy of "
            "each speaker, and what each threshold costs.",
        )


def _figures(model: Model, part: str, evaluation: Evaluation) -> dict[str, Any]:
    """Everything that the page shows, as plain values."""
    rate, check = evaluation.accuracy, read_record(model.folder).check
    point = at_threshold(evaluation, model.calibration.threshold)
    error = expected_calibration_error(evaluation)
    return {
        "model": model.name,
        "evaluated_on": part or "held-out test part",
        "beware": check.sentences() if check and not part else [],
        "n": rate.n,
        "accuracy": rate.value,
        "interval": [rate.low, rate.high],
        "confusion": evaluation.confusion().tolist(),
        "report": evaluation.report().to_dict(orient="index"),
        "per_speaker": evaluation.per_speaker().to_dict(orient="records"),
        "threshold": model.calibration.threshold,
        "digits_answered": _rate(point.coverage),
        "right_among_the_answered": _rate(point.accuracy),
        "other_words_answered": _rate(point.false_answers),
        "coverage_curve": _records(
            coverage_curve(evaluation, model.calibration.threshold)
        ),
        "calibration": _records(calibration(evaluation)),
        "expected_calibration_error": None if math.isnan(error) else error,
    }


def _rate(rate: Rate) -> dict[str, Any] | None:
    """A share with its interval, None where it is one of nothing."""
    if not rate.n:
        return None
    return {"n": rate.n, "share": rate.value, "interval": [rate.low, rate.high]}


def _records(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """The rows of a table, with None where a number is missing."""
    return table.astype(object).where(table.notna(), None).to_dict(orient="records")
