"""The train page's list of runs: the queue, and what has become of each."""

import pandas as pd
import streamlit as st

from audiomnist.networks.architectures import find_architecture
from audiomnist.runs.folder import ENDED, Run
from audiomnist.training.history import best_epoch
from audiomnist.ui import cached, layout, state, titles
from audiomnist.ui.numbers import PERCENT
from audiomnist.ui.train import run_view


def show(everything: list[Run]) -> None:
    """List the runs; a chosen row opens its run."""
    if not everything:
        layout.empty(
            "No runs yet. Set one up above and press Start training: the ANN on the "
            "embedded voices takes less than a minute."
        )
        return
    waiting = [run for run in everything if run.state == "waiting"]
    if waiting:
        names = layout.plain(", ".join(map(titles.run_title, reversed(waiting))))
        st.caption(f"{len(waiting)} in the queue: {names}.")
    table = pd.DataFrame([_row(run) for run in everything])

    def choose() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            run_view.open_run(everything[rows[0]])
            run_view.bring_into_sight()

    key = f"{state.TRAIN_RUNS}-{len(everything)}"
    st.dataframe(
        table,
        hide_index=True,
        on_select=choose,
        selection_mode="single-row",
        key=key,
        placeholder="–",
        column_config={
            "Validation": st.column_config.NumberColumn(format=PERCENT),
            "Test": st.column_config.NumberColumn(format=PERCENT),
            "Started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
        },
        alt="Training runs, the newest first",
    )
    st.caption("Tick the box at the left of a row to open the run above.")


def offer_newest(everything: list[Run]) -> None:
    """Lead back to the newest run, where there is one."""
    if everything:
        newest = everything[0]
        name = layout.plain(titles.run_title(newest))
        layout.link("train", f"See the newest run, {name}", run=newest.id)


def _row(run: Run) -> dict[str, object]:
    """One line of the list."""
    config, now = run.config, run.state
    history = run.history
    # The list is not drawn again while a run works: it would soon be out of date.
    is_still = now in ENDED and bool(history)
    tested = cached.tested(run) if now == "finished" else None
    return {
        "Run": titles.run_title(run),
        "State": now.capitalize(),
        "Network": find_architecture(config.network.kind).title,
        "Test": 100 * tested.accuracy.value if tested else None,
        "Validation": 100 * best_epoch(history).val_accuracy if is_still else None,
        "Epochs": len(history) if is_still else None,
        "Split": config.split_rule,
        "Corpora": ", ".join(map(titles.short_corpus_title, config.corpora)),
        "Started": pd.Timestamp(run.record.created),
    }
