"""Dataset: browse and play the recordings, download or import more."""

import streamlit as st

from audiomnist.ui import cached, layout
from audiomnist.ui.dataset import acquire, browse

layout.heading(
    "Dataset",
    "The recordings that networks learn from and are tested on. See who speaks, "
    "listen to any clip, and add recordings of your own.",
)
acquire.show_import_report()
head = st.container()
listen_tab, counts_tab, licence_tab, add_tab = st.tabs(
    ["Listen", "Who says what", "Licence", "Add or remove"]
)

corpus = None
with layout.guard(head):
    with head:
        corpus = browse.choose_corpus()
        length = browse.summarise(corpus)
        remarks = st.container()

    with listen_tab, layout.guard():
        clips = browse.find(corpus)
        if clips:
            left, right = st.columns(2, gap="large")
            with left:
                clip = browse.choose_clip(corpus, clips)
            with right:
                browse.show_clip(clip, corpus)
        else:
            layout.empty(
                "No clip matches. Choose other digits or speakers, or search for less."
            )

    with counts_tab:
        st.markdown(
            "How many clips there are of each speaker and digit. A network learns best "
            "when no digit is rare, and copes best with unknown speakers when it was "
            "trained on many."
        )
        st.dataframe(
            browse.counts(corpus), height=420, alt="Clips by speaker and digit"
        )

    with licence_tab:
        browse.show_licence(corpus)

with add_tab:
    st.header("Download", anchor=False)
    with layout.guard():
        acquire.offer_downloads()
    st.header("Import your own", anchor=False)
    with layout.guard():
        acquire.offer_import()
    if corpus:
        acquire.offer_removal(corpus.name)

# Last, since it looks at every recording.
if corpus:
    with layout.guard():
        browse.measure(corpus, length)
        with remarks:
            layout.beware(cached.corpus_remarks(corpus.name), "Before you train on it")
