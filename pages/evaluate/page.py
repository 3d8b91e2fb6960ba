"""Evaluate: how often a model is right, where it is wrong, and which is better."""

import streamlit as st

from audiomnist.ui import cached, layout, report, state
from audiomnist.ui.choose_model import choose_model
from audiomnist.ui.report_views import VIEWS

layout.heading(
    "Evaluate",
    "How often is a model right, with whom and with what is it wrong, and is another "
    "one really better?",
)

with layout.guard():
    left, right = st.columns(2)
    with left:
        name = choose_model(state.EVALUATE_MODEL, "The model to look at.")
    if name:
        recognizer = cached.recognizer(name)
        with right:
            part = report.choose_part()
        report.describe_part(recognizer.model, part)
        evaluation = report.evaluate(name, part)
        report.show_accuracy(evaluation)
        report.tell_of_strangers(recognizer.model, part)
        report.tell_what_is_missing(part, evaluation)
        tabs = st.tabs(list(VIEWS), on_change="rerun", key=state.EVALUATE_VIEW)
        for tab, show in zip(tabs, VIEWS.values(), strict=True):
            if tab.open:
                with tab, layout.guard():
                    show(name, recognizer, evaluation)
        report.offer_downloads(recognizer.model, part, evaluation)
