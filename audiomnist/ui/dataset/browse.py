"""The dataset page's parts: choose a corpus, see its figures, find and play a clip."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from audiomnist.corpora import library
from audiomnist.corpora.catalogue import CORPORA
from audiomnist.corpora.clips import Clip, Corpus, load_audio
from audiomnist.corpora.naming import UNKNOWN_SPEAKER
from audiomnist.errors import CorpusError
from audiomnist.recognition.models import list_models
from audiomnist.ui import answers, cached, figures, layout, listen, state
from audiomnist.ui.dataset import acquire
from audiomnist.ui.titles import corpus_title


def choose_corpus() -> Corpus:
    """Let the visitor choose one of the corpora on this machine."""
    names = library.available()
    if opened := st.session_state.pop(state.DATASET_OPEN, None):
        st.session_state[state.DATASET_CORPUS] = opened
    if st.session_state.get(state.DATASET_CORPUS) not in names:
        st.session_state.pop(state.DATASET_CORPUS, None)
    name = st.selectbox(
        "Corpus",
        names,
        format_func=corpus_title,
        key=state.DATASET_CORPUS,
        persist_state="session",
        help="A collection of recordings. More can be added under “Add or remove”.",
    )
    try:
        return cached.corpus(name)
    except CorpusError:
        acquire.offer_removal(name)  # its tab is not reached
        raise


def summarise(corpus: Corpus) -> DeltaGenerator:
    """Show how much there is and of whom; returns the place for how long it is."""
    digits = sorted({clip.digit for clip in corpus.clips})
    said = "0 to 9" if digits == list(range(10)) else ", ".join(map(str, digits))
    with st.container(horizontal=True):
        for label, value, text in (
            ("Clips", f"{len(corpus.clips):,}", "Recordings of one digit each."),
            (
                "Speakers",
                _n_speakers(corpus),
                "How many people or synthetic voices speak.",
            ),
            ("Digits", said, "Which digits are spoken."),
        ):
            st.metric(label, value, help=text, border=True)
        place = st.empty()
        place.metric("Length", "…", border=True)
    return place


def _n_speakers(corpus: Corpus) -> str:
    """How many speakers there are, as far as that is known."""
    n = len(corpus.speakers)
    if corpus.n_unnamed:
        return f"{n:,} and unnamed" if n else "not named"
    return f"{n:,}"


def measure(corpus: Corpus, place: DeltaGenerator) -> None:
    """Show how long the clips are, for which each of them is looked at."""
    seconds = cached.durations(corpus)
    shortest, longest = f"{seconds.min():.1f}", f"{seconds.max():.1f}"
    place.metric(
        "Length",
        f"{shortest} s" if shortest == longest else f"{shortest}–{longest} s",
        help=f"Half of the clips are shorter than {np.median(seconds):.2f} s.",
        border=True,
    )


def find(corpus: Corpus) -> tuple[Clip, ...]:
    """Let the visitor narrow the clips down by digit, speaker and part of a name."""
    left, middle, right = st.columns([2, 1, 1])
    digits = left.pills(
        "Digits",
        range(10),
        selection_mode="multi",
        wrap=True,
        key=f"{state.DATASET_DIGITS}-{corpus.name}",
        help="Show only these digits; choose none to show all.",
    )
    speakers = middle.multiselect(
        "Speakers",
        (*corpus.speakers, *([UNKNOWN_SPEAKER] if corpus.n_unnamed else [])),
        key=f"{state.DATASET_SPEAKERS}-{corpus.name}",
        placeholder="All speakers",
        help="Show only these speakers; choose none to show all.",
    )
    sought = right.text_input(
        "Search",
        key=f"{state.DATASET_SEARCH}-{corpus.name}",
        placeholder="Part of a file’s name",
        help="Show only clips whose file or speaker has this in its name.",
    )
    words = sought.casefold().split()
    return tuple(
        clip
        for clip in corpus.clips
        if (not digits or clip.digit in digits)
        and (not speakers or clip.speaker in speakers)
        and all(word in f"{clip.name} {clip.speaker}".casefold() for word in words)
    )


def choose_clip(corpus: Corpus, clips: Sequence[Clip]) -> Clip:
    """Show clips as one table, and return the one in which a cell is chosen."""
    seconds = dict(zip(corpus.clips, cached.durations(corpus), strict=True))
    table = pd.DataFrame(
        {
            "Digit": [clip.digit for clip in clips],
            "Speaker": [clip.speaker for clip in clips],
            "Take": [clip.take for clip in clips],
            "Length": [seconds[clip] for clip in clips],
            "File": [clip.name for clip in clips],
        }
    )
    # The table starts again whenever it shows other clips.
    contents = f"{corpus.name}-{len(clips)}-{hash((clips[0], clips[-1]))}"
    # Above the table, for there its toolbar covers what stands under the pointer.
    st.caption(
        "Click any row, or move with the arrow keys, to hear its clip. Click a "
        "column’s name to sort all of them."
    )
    chosen = st.dataframe(
        table,
        hide_index=True,
        height=390,
        on_select="rerun",
        selection_mode="single-cell",
        key=f"dataset-table-{contents}",
        column_config={
            "Digit": st.column_config.NumberColumn(width=50),
            "Take": st.column_config.NumberColumn(width=50),
            "Length": st.column_config.NumberColumn(format="%.2f s", width=60),
        },
        alt="Clips with digit, speaker, take, length and file name.",
    )
    cells = chosen["selection"]["cells"]
    return clips[cells[0][0] if cells else 0]


def show_clip(clip: Clip, corpus: Corpus) -> None:
    """Play a clip, and shade in its wave what the default model is given of it.

    The default model is the first one that there is; without any, nothing is shaded.
    """
    st.markdown(listen.describe(clip, corpus))
    audio = load_audio(clip)
    listen.play(audio, alt=f"A spoken {clip.digit} by {clip.speaker}")
    names = list_models()
    if not names:
        figures.show(listen.wave(audio, None, is_public=True))
        return
    recognizer = cached.recognizer(names[0])
    speech = recognizer.recognize(audio).prediction.speech
    figures.show(listen.wave(audio, speech, is_public=True))
    model = f"the default model ({layout.plain(names[0])})"
    if speech is None:
        st.caption(f"Nothing is shaded: {model} finds no speech in this recording.")
    else:
        st.caption(
            f"The shaded part is the word, as {model} finds it. "
            f"{answers.reach(recognizer.model.features)}"
        )


def counts(corpus: Corpus) -> pd.DataFrame:
    """Count the clips: one row a speaker, one column a digit."""
    table = pd.crosstab(
        pd.Series([clip.speaker for clip in corpus.clips], name="Speaker"),
        pd.Series([str(clip.digit) for clip in corpus.clips], name="Digit"),
    )
    table["All"] = table.sum(axis=1)
    return table


def show_licence(corpus: Corpus) -> None:
    """Say what may be done with the recordings, and whom to thank."""
    lines = [f"**Licence:** {corpus.licence}", f"**Source:** {corpus.source}"]
    if corpus.citation:
        lines.append(f"**Please cite:** {corpus.citation}")
    if corpus.name in CORPORA:
        lines.insert(0, CORPORA[corpus.name].description)
    st.markdown("\n\n".join(lines))
