"""The dataset page's view of how names are read, before anything is imported."""

from dataclasses import replace

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from audiomnist.corpora.patterns import AUTOMATIC
from audiomnist.corpora.readings import NAMES_ALONE, Readings, preview
from audiomnist.ui import layout, state

_N_EXAMPLES = 8
_N_LEFT_OUT = 200
_N_PATTERNS = 8


def ask(file: UploadedFile, turn: int) -> Readings:
    """Show how an archive's names are read, and let the visitor say how they are meant.

    Parameters
    ----------
    file
        The archive.
    turn
        Another one for each form.

    Raises
    ------
    CorpusError
        If the archive cannot be read, or what the visitor wrote is no pattern.
    """
    usual = _preview(file)
    others = list(usual.other_meanings.items())[:_N_PATTERNS]
    n_read = {AUTOMATIC: len(usual.read), **dict(others)}

    def label(pattern: str) -> str:
        n = f"{n_read[pattern]:,} recordings" if pattern in n_read else "as you wrote"
        if pattern == AUTOMATIC:
            how = "By the table" if usual.by_table is not None else "Each by its layout"
            return f"{how} ({n})"
        return f"{'By the names' if pattern == NAMES_ALONE else pattern} ({n})"

    pattern = st.selectbox(
        "What the names mean",
        list(n_read),
        format_func=label,
        accept_new_options=True,
        key=f"import-meaning-{turn}-{file.file_id}",
        help="Choose another meaning, or write one with {digit}, {speaker} and {take}: "
        "“/” stands between folders, “_” for any sign between words, “*” for anything.",
    )
    readings = replace(usual, pattern=pattern or AUTOMATIC)
    _show(readings)
    return readings


def _preview(file: UploadedFile) -> Readings:
    """How the names in an archive are read by themselves; read once."""
    kept = st.session_state.get(state.DATASET_PREVIEW)
    if kept is None or kept[0] != file.file_id:
        kept = file.file_id, preview(file)
        st.session_state[state.DATASET_PREVIEW] = kept
    found: Readings = kept[1]
    return found


def _show(readings: Readings) -> None:
    """Show the first names with their meaning, and what would be left out and why."""
    n, n_all = len(readings.read), len(readings.names)
    st.markdown(
        f"**{n:,} of {n_all:,} recordings** would be imported; the first are read so:"
    )
    if readings.read:
        rows = [(name, *said) for name, said in readings.examples[:_N_EXAMPLES]]
        st.dataframe(
            pd.DataFrame(rows, columns=["File", "Digit", "Speaker", "Take"]),
            hide_index=True,
            height="content",
            alt="The first names with digit, speaker and take.",
        )
    for remark in readings.remarks():
        st.caption(layout.plain(remark))
    if left_out := readings.left_out:
        with st.expander(f"{len(left_out):,} would be left out", expanded=True):
            first = left_out[:_N_LEFT_OUT]
            st.dataframe(
                pd.DataFrame(
                    {
                        "File": [each.name for each in first],
                        "Why": [each.reason for each in first],
                    }
                ),
                hide_index=True,
                alt="Names that would be left out, and why.",
            )
