"""Overview: one clip walks through every step, from sound to digit."""

import streamlit as st

from audiomnist.corpora.clips import load_audio
from audiomnist.ui import cached, figures, layout, listen
from audiomnist.ui.overview import walk

layout.heading(
    "Recognize a spoken digit, and see why",
    "A network that was trained on thousands of spoken digits can tell which one you "
    "say. Pick a recording and follow it from sound to answer.",
)

with layout.guard():
    corpus = cached.corpus("embedded")
    clip = walk.pick(corpus)
    audio = load_audio(clip)
    st.markdown(listen.describe(clip, corpus))
    listen.play(audio, alt=f"A spoken {clip.digit} by {clip.speaker}")
    walks = walk.recognize(audio)

    left, right = st.columns(2, gap="large")
    with left:
        st.header("1 · The sound", anchor=False)
        walk.show_sound(audio, walks)
    with right:
        st.header("2 · The spectrogram", anchor=False)
        figures.show(walk.spectrogram(audio))
        st.markdown(
            "The sound is cut into short slices, and for each the picture shows how "
            "strong every frequency is. Vowels appear as stripes, an *s* or *f* as a "
            "cloud near the top."
        )

    if walks:
        st.header("3 · What two networks see", anchor=False)
        columns = st.columns(2, gap="large")
        for column, network in zip(columns, walks, strict=False):
            with column:
                st.markdown(f"### {network.name}: {network.kind}")
                walk.show_input(network)

        st.header("4 · What they answer", anchor=False)
        columns = st.columns(2, gap="large")
        for column, network in zip(columns, walks, strict=False):
            with column:
                st.markdown(f"### {network.name}: {network.kind}")
                walk.show_answer(network, clip.digit)
        st.markdown(
            "Each network spreads 100 % over the ten digits and “not a digit”. The "
            "digit with the longest bar is its answer. If even that bar stays below "
            "the dashed line, the network gives no answer."
        )
    else:
        layout.empty("No trained model came with the app. Train one on the Train page.")

st.header("Your turn", anchor=False)
walk.invite()
