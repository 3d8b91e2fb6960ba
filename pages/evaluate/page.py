"""Evaluate: how often a model is right, where it is wrong, and which is better."""

import streamlit as st

from audiomnist.ui import cached, layout, state
from audiomnist.ui.choose_model import choose_model
from audiomnist.ui.evaluate.report import (
    choose_part,
    describe_part,
    evaluate,
    offer_downloads,
    show_accuracy,
    tell_of_clips,
    tell_of_unknown_speakers,
    tell_what_is_missing,
)
from audiomnist.ui.evaluate.views import VIEWS

layout.heading(
    "Evaluate",
    "How often is a model right, which digits and speakers does it get wrong, and is "
    "another model really better?",
)

with layout.guard():
    left, right = st.columns(2)
    with left:
        name = choose_model(state.EVALUATE_MODEL, "The model to evaluate.")
    if name:
        recognizer = cached.recognizer(name)
        with right:
            part = choose_part()
        describe_part(recognizer.model, part)
        figures = st.empty()
        evaluation = evaluate(name, part, figures)
        with figures.container():
            show_accuracy(evaluation)
            tell_of_clips(recognizer.model, part)
            tell_of_unknown_speakers(recognizer.model, part)
            tell_what_is_missing(part, evaluation)
            tabs = st.tabs(list(VIEWS), on_change="rerun", key=state.EVALUATE_VIEW)
            for tab, show in zip(tabs, VIEWS.values(), strict=True):
                if tab.open:
                    with tab, layout.guard():
                        show(recognizer, evaluation)
            offer_downloads(recognizer.model, part, evaluation)
