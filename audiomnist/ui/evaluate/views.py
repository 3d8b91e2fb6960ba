"""The evaluate page's views: where a model is wrong, and whether another is better.

Each takes the model and its evaluation; only the view that is open is drawn.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from audiomnist.corpora.clips import load_audio
from audiomnist.errors import ModelError
from audiomnist.evaluation.evaluate import mcnemar
from audiomnist.evaluation.metrics import Evaluation, Mistake, identity
from audiomnist.plots.results import plot_confusion, plot_speaker_accuracy
from audiomnist.plots.style import Style
from audiomnist.plots.text import has_font
from audiomnist.recognition.models import list_models
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.runs.record import read_record
from audiomnist.ui import answers, cached, choose_model, figures, layout, listen, state
from audiomnist.ui.evaluate.answering import show_answering
from audiomnist.ui.evaluate.progress import progress_in
from audiomnist.ui.figures import Picture
from audiomnist.ui.numbers import PERCENT, in_percent, interval, share

_DIGITS = [str(digit) for digit in range(10)]
_N_WORST = 5
_UNLIKELY = 0.05
"""Probability under which a difference is hardly chance, by custom."""


def show_confusion(recognizer: Recognizer, evaluation: Evaluation) -> None:
    """Show which digit was taken for which: a picture and the numbers."""
    matrix = evaluation.confusion()
    left, right = st.columns([3, 2], gap="large")
    with left:
        figures.show(draw_confusion(True, matrix, figures.style()))
    with right:
        st.markdown(
            "Each row is a digit that was said, each column what the model answered. "
            "Correct answers lie on the diagonal; a number off the diagonal is a pair "
            "that the model confuses."
        )
        if worst := _worst_pairs(matrix):
            st.markdown("**Most often confused**\n" + "\n".join(worst))
    with st.expander("The numbers"):
        table = pd.DataFrame(
            matrix,
            index=pd.Index(_DIGITS, name="said"),
            columns=[*_DIGITS, "no answer"],
        )
        st.dataframe(table, height="content", alt="Confusion matrix as numbers")


@figures.keep
def draw_confusion(matrix: np.ndarray, style: Style) -> Picture:
    """Draw a confusion matrix of shape (10, 11), see `plot_confusion`."""
    return figures.draw(
        plot_confusion(matrix, style=style),
        alt="Confusion matrix; the numbers are in the table below.",
    )


def _worst_pairs(matrix: np.ndarray) -> list[str]:
    """The pairs that are confused most often, as lines of a list."""
    pairs = sorted(
        (-int(n), said, predicted)
        for (said, predicted), n in np.ndenumerate(matrix)
        if n and said != predicted
    )
    return [
        f"- **{said}** recognized as **{predicted}**: {_times(-n)}"
        if predicted < len(_DIGITS)
        else f"- **{said}** without an answer: {_times(-n)}"
        for n, said, predicted in pairs[:_N_WORST]
    ]


def _times(count: int) -> str:
    """A count in words."""
    return "once" if count == 1 else f"{count} times"


def show_digits(recognizer: Recognizer, evaluation: Evaluation) -> None:
    """Show precision, recall and F1 of each digit."""
    st.markdown(
        "**Precision**: of the clips recognized as this digit, how many really are "
        "it. **Recall**: of the clips of this digit, how many were recognized. **F1** "
        "is the harmonic mean of both."
    )
    st.dataframe(
        in_percent(evaluation.report(), "precision", "recall", "f1"),
        height="content",
        column_config={
            "digit": st.column_config.TextColumn("Digit", width=110),
            "precision": st.column_config.NumberColumn("Precision", format=PERCENT),
            "recall": st.column_config.NumberColumn("Recall", format=PERCENT),
            "f1": st.column_config.NumberColumn("F1", format=PERCENT),
            "support": st.column_config.NumberColumn("Clips"),
        },
        alt="Precision, recall, F1 and clips of each digit",
    )


def show_speakers(recognizer: Recognizer, evaluation: Evaluation) -> None:
    """Show how well each speaker is recognized."""
    table = evaluation.per_speaker()
    left, right = st.columns([3, 2], gap="large")
    with left:
        figures.show(draw_speakers(True, table, figures.style()))
    with right:
        st.markdown(
            "An average can hide a speaker who is rarely recognized. The lines are "
            "95\N{NO-BREAK SPACE}% intervals: the fewer clips a speaker has, the "
            "longer the line."
        )
        if not has_font(table["speaker"]):
            st.caption(
                "This server has no font for some letters: the picture shows their "
                "numbers in Unicode, the table under it the names."
            )
    with st.expander("The numbers"):
        percent = {
            column: st.column_config.NumberColumn(label, format=PERCENT)
            for column, label in (
                ("accuracy", "Accuracy"),
                ("low", "From"),
                ("high", "To"),
            )
        }
        st.dataframe(
            in_percent(table, *percent),
            hide_index=True,
            column_config={"speaker": "Speaker", "n": "Clips", **percent},
            alt="Accuracy of each speaker",
        )


@figures.keep
def draw_speakers(table: pd.DataFrame, style: Style) -> Picture:
    """Draw the accuracy of each speaker, see `plot_speaker_accuracy`."""
    return figures.draw(
        plot_speaker_accuracy(table, style=style),
        alt="Accuracy of each speaker; the numbers are in the table below.",
    )


def show_mistakes(recognizer: Recognizer, evaluation: Evaluation) -> None:
    """List the mistakes, and play the one that is chosen."""
    mistakes = evaluation.errors()
    if not mistakes:
        st.success("No mistakes on these clips.", icon=":material/check_circle:")
        return
    confidence = [mistake.probability for mistake in mistakes]
    is_sure = recognizer.model.calibration.should_answer(np.array(confidence))
    n_sure = int(is_sure.sum())
    n_silent = len(mistakes) - n_sure
    live = (
        f"and none to {'one' if n_silent == 1 else n_silent} of them, because it is "
        "not sure enough."
        if n_silent
        else "because it is sure enough of each."
    )
    st.markdown(
        "The mistakes of which the model was surest come first. Tick the box at the "
        "left of a row to play its clip. On the Live page the model would give "
        f"{n_sure} of these {len(mistakes)} answers, {live}"
    )
    left, right = st.columns(2, gap="large")
    table = pd.DataFrame(
        {
            "Said": [mistake.clip.digit for mistake in mistakes],
            "Recognized as": [_answer(mistake) for mistake in mistakes],
            "How sure": [100 * p for p in confidence],
            "Sure enough": is_sure,
            "Speaker": [mistake.clip.speaker for mistake in mistakes],
            "File": [mistake.clip.name for mistake in mistakes],
        }
    )
    chosen = left.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row-required",
        key=f"{state.EVALUATE_ERROR}-{recognizer.model.name}-{len(evaluation.clips)}",
        column_config={"How sure": st.column_config.NumberColumn(format=PERCENT)},
        placeholder="–",
        alt="Clips that were not recognized correctly",
    )
    rows = chosen["selection"]["rows"]
    with right, layout.guard():
        _show_mistake(mistakes[rows[0] if rows else 0], recognizer)


def _answer(mistake: Mistake) -> str:
    """What the model answered instead."""
    return "no speech" if mistake.answer is None else str(mistake.answer)


def _show_mistake(mistake: Mistake, recognizer: Recognizer) -> None:
    """Play a clip, and show what the model made of it."""
    clip, model = mistake.clip, recognizer.model
    st.markdown(
        f"**{layout.plain(clip.speaker)}** says **{clip.digit}**, "
        f"recognized as **{_answer(mistake)}**"
    )
    if not clip.path.exists():
        layout.empty(
            "This recording is not on this machine. Download its corpus on the Dataset "
            "page to hear it."
        )
        return
    recognition = recognizer.recognize(load_audio(clip))
    audio, prediction = recognition.audio, recognition.prediction
    listen.play(audio, alt=f"A spoken {clip.digit} by {clip.speaker}")
    figures.show(listen.wave(audio, prediction.speech, is_public=True))
    if prediction.probabilities is not None:
        figures.show(answers.features(recognition, model.features, is_public=True))
        figures.show(answers.bars(prediction, model.calibration, is_public=True))


def compare(recognizer: Recognizer, evaluation: Evaluation) -> None:
    """Put a second model beside the first, on the same clips."""
    name = recognizer.model.name
    others = [other for other in list_models() if other != name]
    if not others:
        layout.empty("There is no second model yet. Train one to compare.")
        layout.link("train", "Train a network")
        return
    other = st.selectbox(
        "Second model",
        others,
        format_func=choose_model.title,
        key=state.EVALUATE_OTHER,
        help="It is tested on the same clips as the first.",
    )
    second = _evaluate_second(other, evaluation)
    if second is None:
        layout.empty(
            "The second model was not tested on these clips, and the recordings are "
            "not on this machine. Download them on the Dataset page, or choose "
            "another corpus above."
        )
        return
    for column, (model, result) in zip(
        st.columns(2), ((name, evaluation), (other, second)), strict=True
    ):
        column.metric(
            layout.plain(choose_model.title(model)),
            share(result.accuracy.value),
            border=True,
        )
        column.caption(interval(result.accuracy))
    test = mcnemar(evaluation, second)
    verdict = (
        "a difference this large rarely arises by chance"
        if test.p_value < _UNLIKELY
        else "a difference this small may be due to chance"
    )
    st.markdown(
        f"Of {test.n:,} clips, **{test.only_a:,}** were recognized correctly by the "
        f"first model alone and **{test.only_b:,}** by the second alone. McNemar’s "
        f"exact test: {_p_value(test.p_value)}; {verdict}.",
        help="McNemar’s test looks only at the clips that exactly one of the models "
        "recognized. If both were equally good, each would win about half of these; p "
        "is the probability of a split at least as uneven as this one.",
    )
    if n_known := _n_known(other, evaluation):
        st.warning(
            f"The second model may have been trained on {n_known:,} of these clips, "
            "which makes it look better than it is. Models with the same corpora, "
            "split and seed can be compared fairly on their test part.",
            icon=":material/visibility:",
        )


def _p_value(p: float) -> str:
    """A probability of chance, as such are usually given."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _evaluate_second(other: str, evaluation: Evaluation) -> Evaluation | None:
    """The second model on the first one's clips, as saved with it if it has them.

    None where it has not, and some of the recordings are not here.
    """
    saved = _saved(other)
    wanted = {identity(clip) for clip in evaluation.clips}
    if saved and {identity(clip) for clip in saved.clips} == wanted:
        return saved
    if not all(clip.path.exists() for clip in evaluation.clips):
        return None
    place = st.empty()
    result = cached.evaluate_same(other, evaluation, progress_in(place))
    place.empty()
    return result


def _n_known(other: str, evaluation: Evaluation) -> int:
    """How many of these clips may be among those that the other model learned from."""
    learned = set(read_record(cached.recognizer(other).model.folder).config.corpora)
    saved = _saved(other)
    held_out = {identity(clip) for clip in saved.clips} if saved else set()
    return sum(
        clip.corpus in learned and identity(clip) not in held_out
        for clip in evaluation.clips
    )


def _saved(name: str) -> Evaluation | None:
    """A model's evaluation on its own test part, if it has one."""
    try:
        return cached.held_out(name)
    except ModelError:
        return None


VIEWS: dict[str, Callable[[Recognizer, Evaluation], None]] = {
    "Confusion": show_confusion,
    "Digit by digit": show_digits,
    "Speakers": show_speakers,
    "Mistakes": show_mistakes,
    "When to answer": show_answering,
    "Compare": compare,
}
"""The views by what their tab says."""
