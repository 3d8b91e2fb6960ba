"""The train page's view of one run, anew every second while it works."""

from typing import Literal

import streamlit as st

from audiomnist.networks.architectures import find_architecture
from audiomnist.plots.learning import plot_learning_curves
from audiomnist.runs.folder import ENDED, Run, delete_run, list_runs
from audiomnist.runs.progress import RunProgress
from audiomnist.runs.queue import cancel_run, resume_run
from audiomnist.training.history import best_epoch
from audiomnist.ui import cached, figures, layout, state, titles
from audiomnist.ui.numbers import interval, share, tell_of_few_speakers

Colour = Literal["gray", "blue", "green", "orange", "red"]

BADGES: dict[str, tuple[Colour, str]] = {
    "waiting": ("gray", ":material/hourglass_empty:"),
    "running": ("blue", ":material/directions_run:"),
    "finished": ("green", ":material/check_circle:"),
    "cancelled": ("orange", ":material/cancel:"),
    "failed": ("red", ":material/warning:"),
}
"""Colour and icon of each state."""

_STAGES = {
    "waiting": "Waiting for its turn",
    "preparing": "Preparing the clips",
    "training": "Training",
    "evaluating": "Testing on the held-out clips",
}

_GOOD_ACCURACY = 0.9
"""Test accuracy from which on a run is shown as a success."""

_WIDE_GAP = 0.1
"""From so much less accuracy on test than on validation on, epochs are not to blame."""

_MANY_FALSE_ANSWERS = 0.5
"""Share of other words taken for a digit from which on a warning is due."""

_LOW_COVERAGE = 0.9
"""Share of digits answered under which a warning is due."""

_POLL = 1.0
"""Seconds between two looks at a living run."""


_SCROLL = """\
<script>
// {number}
setTimeout(() => {{
  const run = document.querySelector(".run-view");
  const top = run ? run.getBoundingClientRect().top : 0;
  if (run && (top < 0 || top > 0.6 * innerHeight)) {{
    run.scrollIntoView({{block: "start"}});
  }}
}}, 150);
</script>"""
"""Shows the run where it begins above or far below what is in sight."""


def is_living(run: Run) -> bool:
    """Whether a run still changes by itself."""
    return run.state not in ENDED


def current_run(everything: list[Run]) -> Run | None:
    """The run that the page's address names; without one, the newest at work."""
    named = st.query_params.get(state.RUN_PARAM)
    for run in everything:
        if run.id == named:
            return run
    if named:
        st.warning(f"There is no run “{layout.plain(named)}” any more.")
    living = next((run for run in everything if run.state == "running"), None)
    living = living or next((run for run in everything if is_living(run)), None)
    if living:
        open_run(living)  # so that it is still shown when it has come to its end
    return living


def open_run(run: Run | None) -> None:
    """Name a run in the page's address, so that a reload finds it again."""
    if run is None:
        st.query_params.pop(state.RUN_PARAM, None)
    else:
        st.query_params[state.RUN_PARAM] = run.id


def open_started(run: Run) -> None:
    """Open a run that was put into the queue, unless one at work is being shown."""
    living = [other for other in list_runs() if is_living(other) and other != run]
    named = st.query_params.get(state.RUN_PARAM)
    bring_into_sight()
    if not living:
        open_run(run)
        st.toast("The training is starting.", icon=":material/play_arrow:")
        return
    name = layout.plain(titles.run_title(run))
    if any(other.id == named for other in living):
        shown = "The list of runs shows when it begins"
    else:
        open_run(run)
        shown = "It begins by itself"
    n = len(living)
    before = "another training" if n == 1 else f"{n} other trainings"
    st.toast(
        f"“{name}” waits in the queue behind {before}. {shown}.",
        icon=":material/hourglass_empty:",
    )


def bring_into_sight() -> None:
    """Let the next run of the page scroll to the run that it shows."""
    st.session_state[state.TRAIN_LOOK] = True


def look() -> None:
    """Scroll to the run, if it was asked for and is not in sight."""
    st.html('<div class="run-view" style="scroll-margin-top: 5rem"></div>')
    if st.session_state.pop(state.TRAIN_LOOK, False):
        # Another text each time, or the browser would not do it again.
        st.session_state[state.TRAIN_LOOKS] = number = (
            st.session_state.get(state.TRAIN_LOOKS, 0) + 1
        )
        st.html(_SCROLL.format(number=number), unsafe_allow_javascript=True)


def watch(run: Run) -> None:
    """Show a run, and go on looking for as long as it lives."""
    state_now = run.state
    lives = state_now not in ENDED
    st.fragment(_show, run_every=_POLL if lives else None)(run, state_now)


def _show(run: Run, shown: str) -> None:
    """Show a run once; the whole page anew when its state is no longer that shown."""
    with layout.guard():
        now = run.state
        if now != shown:
            st.rerun()
        # The curves keep their place from the first moment to the last, so that the
        # browser draws them on and does not begin anew.
        head, curves = st.container(), st.container()
        with head:
            _show_state(run, now)
        if now not in ENDED or run.history:
            with curves:
                _show_history(run)


def _show_state(run: Run, now: str) -> None:
    """Show what a run is, how far it is or how it ended, and what can be done."""
    colour, icon = BADGES[now]
    st.header(layout.plain(titles.run_title(run)), anchor=False)
    st.badge(now.capitalize(), icon=icon, color=colour)
    st.caption(describe(run))
    if now not in ENDED:
        st.progress(*_progress(run.progress, now))
    elif run.message:
        layout.show_error(run.message)
    if now == "finished":
        _show_result(run)
    _offer_actions(run, now)


def describe(run: Run) -> str:
    """What a run trains, in a line of Markdown."""
    config = run.config
    training = config.training
    of = f" ({layout.plain(config.held_out)})" if config.held_out else ""
    varied = "augmented" if training.augmentation else "not augmented"
    return " · ".join(
        (
            find_architecture(config.network.kind).title,
            layout.plain(", ".join(map(titles.corpus_title, config.corpora))),
            f"split: {config.split_rule}{of}",
            f"batch size {training.batch_size}",
            f"learning rate {training.learning_rate:g}",
            varied,
        )
    )


def _cancel(run: Run) -> None:
    """Stop a run; say why not, if it cannot be."""
    with layout.guard():
        cancel_run(run)


def _progress(progress: RunProgress, now: str) -> tuple[float, str]:
    """How much is done, in [0, 1], and in words."""
    is_starting = now == "running" and progress.stage == "waiting"
    text = "Starting" if is_starting else _STAGES[progress.stage]
    done = 1.0 if progress.stage == "evaluating" else 0.0
    if progress.stage == "preparing":
        done = progress.batch
    if progress.stage == "training":
        epoch = max(1, progress.epoch)
        done = (epoch - 1 + progress.batch) / progress.epochs
        is_built = progress.batch > 0 or progress.seconds_left is not None
        if not is_built:  # TensorFlow is loaded, and makes a program of the network
            text = "Building the network"
        text += f", epoch {epoch} of {progress.epochs}"
    if progress.seconds_left is not None:
        text += f", {duration(progress.seconds_left)} left"
        if progress.stage == "preparing":
            text += " until it learns"
    return min(1.0, done), text


def _show_history(run: Run) -> None:
    """Show loss and accuracy of training and validation over the epochs."""
    history, training = run.history, run.config.training
    seconds = sum(metrics.seconds for metrics in history)
    best = best_epoch(history) if history else None
    with st.container(horizontal=True):
        st.metric("Epochs done", str(len(history)))
        st.metric(
            "Validation accuracy",
            share(best.val_accuracy) if best else "–",
            help=f"In epoch {best.epoch}, which has the lowest loss; its weights are "
            "kept."
            if best
            else "Known after the first epoch.",
        )
        st.metric(
            "Training time",
            duration(seconds).removeprefix("about ") if history else "–",
        )
    figures.show_curves(
        plot_learning_curves(
            history, training.epochs, run.batch_losses, style=figures.style()
        )
    )
    lines = [
        "The thin line is the loss of the training batches as they are learned.",
        "If the training curve keeps improving while the validation curve does not, "
        "the network is memorizing its clips (overfitting).",
    ]
    if training.augmentation is not None:
        lines.append(
            "Training clips are augmented, which makes them harder, so the validation "
            "accuracy may be higher than the training accuracy."
        )
    if training.label_smoothing > 0:
        lines.append(
            "The network is taught to be a little less than certain (label smoothing "
            f"{training.label_smoothing:g}), so its loss stays above "
            f"{training.least_loss:.2f} even where every answer is right."
        )
    st.caption(" ".join(lines))


def _show_result(run: Run) -> None:
    """Show how a finished run did on its test part, and where to go from here."""
    tested = cached.tested(run)
    if tested is not None:
        rate = tested.accuracy
        verdict = (
            f"**Test accuracy {share(rate.value)}** on held-out clips "
            f"({interval(rate)})."
        )
        if rate.value >= _GOOD_ACCURACY:
            st.success(verdict, icon=":material/target:")
        else:
            st.warning(
                f"{verdict} {_what_may_help(run, rate.value)}", icon=":material/target:"
            )
        tell_of_few_speakers(tested.speakers)
        rate = tested.coverage
        st.markdown(
            f"Of these digits it answers **{share(rate.value)}** ({interval(rate)}); "
            "of the rest it says that it is not sure."
        )
        if rate.value < _LOW_COVERAGE:
            st.warning(
                "It will often say that it is not sure. A lower threshold lets it "
                "answer more, rightly and wrongly: see “When to answer” on the "
                "Evaluate page.",
                icon=":material/voice_over_off:",
            )
        rate = tested.false_answers
        if rate.n and rate.value > _MANY_FALSE_ANSWERS:
            st.warning(
                f"It takes {share(rate.value)} of {rate.n:,} other words, which are "
                "not digits, for a digit, so say only digits to it. More epochs and "
                "“Learn to reject other words” help.",
                icon=":material/hearing_disabled:",
            )
    left, right = st.columns(2)
    with left:
        layout.link("evaluate", "See where it is wrong", model=run.id)
    with right:
        layout.link("live", "Speak to it", model=run.id)


def _what_may_help(run: Run, accuracy: float) -> str:
    """What to try where a test went badly, by how the validation went."""
    history = run.history
    if history and best_epoch(history).val_accuracy - accuracy > _WIDE_GAP:
        return (
            "The accuracy was far higher on the validation clips: the network knows "
            "the speakers that it was trained on, but not these. More epochs will "
            "hardly help; more speakers will."
        )
    return "More epochs or recordings may help."


def _offer_actions(run: Run, now: str) -> None:
    """Offer what can be done with a run in its state."""
    with st.container(horizontal=True):
        if now not in ENDED:
            # A callback comes first in the next rerun, whatever interrupts that: every
            # second there is one here, and a click must not be lost to it.
            st.button(
                "Cancel",
                icon=":material/cancel:",
                help="Stop now. You can resume it later.",
                on_click=_cancel,
                args=(run,),
            )
            return
        if now != "finished" and st.button(
            "Resume", type="primary", help="Continue after the last epoch."
        ):
            resume_run(run)
            st.rerun()
        with st.popover("Delete", icon=":material/delete:", type="tertiary"):
            name = layout.plain(titles.run_title(run))
            st.markdown(
                f"Delete “{name}” with its model, its curves and its test? It goes "
                "for everybody who uses this server, and cannot be brought back."
            )
            if st.button("Delete it", icon=":material/delete_forever:"):
                delete_run(run)
                open_run(None)
                st.rerun()


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min"
