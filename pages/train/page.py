"""Train: set up a network, watch it learn, stop it, and resume it."""

import streamlit as st

from audiomnist.runs.folder import list_runs
from audiomnist.ui import layout
from audiomnist.ui.train import run_form, run_list, run_view

layout.heading(
    "Train",
    "Choose a network and the recordings to train it on, press Start training, and "
    "watch it learn. The training continues if you leave the page.",
)

form, view = st.columns(2, gap="large")

with form, st.container(border=True), layout.guard():
    config = run_form.ask()
    if config:
        run_view.open_started(run_form.start(config))

everything = None
with view, layout.guard():
    run_view.look()
    everything = list_runs()
    current = run_view.current_run(everything)
    if current:
        run_view.watch(current)
    else:
        layout.empty(
            "Nothing is being trained. Press Start training: the loss and the accuracy "
            "appear here, epoch by epoch."
        )
        run_list.offer_newest(everything)

st.header("Runs", anchor=False)
if everything is not None:
    with layout.guard():
        run_list.show(everything)
