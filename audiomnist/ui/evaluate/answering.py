"""The evaluate page's view of a model's confidence: when it should answer at all."""

from typing import Any

import pandas as pd
import streamlit as st

from audiomnist.errors import ModelError
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.evaluation.rejection import (
    OperatingPoint,
    at_threshold,
    calibration,
    coverage_curve,
    expected_calibration_error,
)
from audiomnist.plots.confidence import plot_coverage, plot_reliability
from audiomnist.plots.style import Style
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.runs.folder import keep_threshold, list_runs
from audiomnist.ui import answers, cached, figures, state
from audiomnist.ui.figures import Picture
from audiomnist.ui.numbers import PERCENT, in_percent, interval, share

_MAX_THRESHOLD = 0.999
"""Above this, a threshold is not told in percent: none would look like all."""

_SAME = 0.1
"""Step of the slider in percent."""


def show_answering(recognizer: Recognizer, evaluation: Evaluation) -> None:
    """Show what the model's threshold and other ones cost, and its calibration."""
    own = recognizer.model.calibration.threshold
    st.markdown(
        f"This model answers when it is {_at_least(own)} of a digit. Otherwise it says "
        "that it is not sure, or that the sound is not a digit."
    )
    name = recognizer.model.name
    threshold = _choose_threshold(name, own)
    _show_point(name, at_threshold(evaluation, threshold))
    curve = coverage_curve(evaluation, threshold)
    table = calibration(evaluation)
    _show_coverage(curve, threshold)
    _show_calibration(evaluation, table)
    with st.expander("The numbers"):
        _show_tables(curve, table)


def _at_least(threshold: float) -> str:
    """How sure a model has to be, in Markdown."""
    if threshold > _MAX_THRESHOLD:
        return "**all but certain**"
    return f"at least **{answers.percent(threshold)} sure**"


def _choose_threshold(name: str, own: float) -> float:
    """Try another threshold, and keep it with a model that was trained here."""
    percent = st.slider(
        "Answer from this probability on",
        0.0,
        100.0,
        100 * own,
        step=0.1,
        format=PERCENT,
        key=f"{state.EVALUATE_THRESHOLD}-{name}-{own}",
        help="The figures and the curves below follow. A higher threshold answers "
        "fewer digits, and fewer other words.",
    )
    # The slider has coarser steps than the model's own threshold.
    threshold = own if abs(percent - 100 * own) < _SAME else percent / 100
    run = next((run for run in list_runs() if run.id == name), None)
    if run is None:
        st.caption("This model came with the app and keeps its threshold.")
        return threshold
    is_same = threshold == own
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            "Keep this threshold",
            disabled=is_same,
            help="From now on this model answers like this, for everybody.",
        ):
            keep_threshold(run, threshold)
            st.rerun()
        if is_same:
            st.caption("This is the model’s own threshold.")
    return threshold


def _show_point(name: str, point: OperatingPoint) -> None:
    """Show what the model's own threshold does."""
    metrics = [
        ("Digits answered", point.coverage, "Of the clips of digits."),
        ("Right when it answers", point.accuracy, "Of the digits answered."),
        (
            "Other words answered",
            point.false_answers,
            "Of the recordings of words that are not digits.",
        ),
    ]
    with st.container(horizontal=True):
        for label, rate, text in metrics:
            if rate.n:
                text = f"{text} Wilson’s {interval(rate)}."
                st.metric(label, share(rate.value), help=text, border=True)
    if not point.false_answers.n:
        st.caption(_how_to_test_other_words(name))


def _how_to_test_other_words(name: str) -> str:
    """Say how to find out whether a model takes other words for digits."""
    try:
        n = len(cached.held_out(name).other_words)
    except ModelError:
        n = 0
    if n:
        return (
            "The model was not tested on other words here. Choose the model’s own test "
            f"part above: it holds {n:,} recordings of words that are not digits."
        )
    return (
        "Whether the model also takes other words for digits is not known: this "
        "evaluation holds none. In Python, `evaluate(model, clips, other_words=…)` "
        "tests it on them, and `save_evaluation` keeps the result beside the model."
    )


def _show_coverage(curve: pd.DataFrame, threshold: float) -> None:
    """Draw and explain what each threshold would cost."""
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        figures.show(draw_coverage(True, curve, threshold, figures.style()))
    with right:
        st.markdown(
            "**When to answer.** To the left the threshold is higher: fewer digits "
            "are answered, but more of the answers are right, and fewer other words "
            "are taken for a digit. The band around each line is its 95 % interval."
        )


@figures.keep
def draw_coverage(curve: pd.DataFrame, threshold: float, style: Style) -> Picture:
    """Draw what each threshold costs, see `plot_coverage`."""
    return figures.draw(
        plot_coverage(curve, threshold, style=style),
        alt="Right and false answers by coverage; the numbers are in the table below.",
    )


def _show_calibration(evaluation: Evaluation, table: pd.DataFrame) -> None:
    """Draw and explain how sure and how right the model is."""
    if table.empty:
        return
    error = expected_calibration_error(evaluation)
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        figures.show(draw_reliability(True, table, error, figures.style()))
    with right:
        off = share(error)
        n_silent = int((~evaluation.is_answered).sum())
        st.markdown(
            "**Is it right as often as it is sure?** Each dot stands for clips of "
            "which the model was about equally sure; on the dashed line it is right "
            "for eight of ten clips of which it is 80\N{NO-BREAK SPACE}% sure. The "
            "**expected "
            "calibration error** is the average distance of a clip’s dot from that "
            f"line: {off}."
            + (f" {n_silent:,} clips without speech are left out." if n_silent else "")
        )


@figures.keep
def draw_reliability(table: pd.DataFrame, error: float, style: Style) -> Picture:
    """Draw how sure and how right a model is, see `plot_reliability`."""
    return figures.draw(
        plot_reliability(table, error, style=style),
        alt="Accuracy by confidence; the numbers are in the table below.",
    )


def _show_tables(curve: pd.DataFrame, table: pd.DataFrame) -> None:
    """Show what both pictures are made of."""
    has_other_words = curve["false_answers"].notna().any()
    false_answers = {
        "false_answers": "Other words answered",
        "false_answers_low": "From",
        "false_answers_high": "To",
    }
    curve = in_percent(curve, *curve.columns)
    st.dataframe(
        curve if has_other_words else curve.drop(columns=list(false_answers)),
        hide_index=True,
        height=280,
        column_config=_percent(
            threshold="Threshold",
            coverage="Digits answered",
            accuracy="Right, of those",
            accuracy_low="From",
            accuracy_high="To",
            **false_answers,
        ),
        placeholder="–",
        alt="Coverage, accuracy and false answers of each threshold",
    )
    st.dataframe(
        in_percent(table, "confidence", "accuracy", "low", "high"),
        hide_index=True,
        height="content",
        column_config=_percent(
            confidence="How sure", accuracy="Accuracy", low="From", high="To"
        )
        | {"n": "Clips"},
        alt="Accuracy by confidence",
    )


def _percent(**labels: str) -> dict[str, Any]:
    """Columns of shares with their labels."""
    return {
        column: st.column_config.NumberColumn(label, format=PERCENT)
        for column, label in labels.items()
    }
