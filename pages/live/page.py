"""Live: say a digit and see what a model recognizes."""

import streamlit as st

from audiomnist.ui import cached, layout, state
from audiomnist.ui.choose_model import choose_model
from audiomnist.ui.live import keeping, sources

layout.heading(
    "Live",
    "Say a digit, zero to nine, and see what a model answers, how sure it is, and "
    "why it may be wrong.",
)

with layout.guard():
    left, right = st.columns(2)
    with left:
        model = choose_model(state.LIVE_MODEL, "The model that recognizes your digits.")
    if model:
        way = right.segmented_control(
            "Input",
            sources.WAYS,
            required=True,
            default=sources.RECORD,
            key=state.LIVE_WAY,
            persist_state="session",
            help="Record works everywhere; Stream recognizes digit after digit over "
            "WebRTC.",
        )
        keeping.begin(way)
        recognizer = cached.recognizer(model)
        if way == sources.UPLOAD:
            sources.upload(recognizer)
        elif way == sources.STREAM:
            sources.stream(recognizer)
        else:
            sources.record(recognizer)

st.caption(keeping.PROMISE)
