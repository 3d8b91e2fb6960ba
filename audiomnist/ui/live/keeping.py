"""What the server keeps of a visitor's voice on the Live page, and until when.

`begin` and `leave` are called by whoever opens pages and ways in; they forget all that
the way before has left: files, recordings, pictures of them, and the streamed words.
"""

import streamlit as st
from streamlit.runtime.caching import clear_session_data_cache
from streamlit.runtime.scriptrunner import get_script_run_ctx

from audiomnist.ui import state

PROMISE = (
    "Your voice is processed on this server, shown to nobody else, and never written "
    "to its disk. A recording or a file is kept in memory until you clear or replace "
    "it; of a stream, the list of digits and the sound of its last word, until you "
    "clear them. All of this is deleted as soon as you choose another input or open "
    "another page. If you close or reload the tab instead, it is deleted when the "
    "server ends your visit, usually a few minutes later."
)
"""What is kept where, and how long."""


def begin(way: str) -> None:
    """Forget what another way in has left, if there was one."""
    if st.session_state.get(state.LIVE_OPEN) != way:
        _forget()
        st.session_state[state.LIVE_OPEN] = way


def leave() -> None:
    """Forget everything, where the visitor comes from the Live page."""
    if st.session_state.pop(state.LIVE_OPEN, None) is not None:
        _forget()


def _forget() -> None:
    """Delete what this visit keeps of a voice."""
    listener = st.session_state.pop(state.LIVE_LISTENER, None)
    if listener is not None:
        listener.close()
    for key in (state.LIVE_ANSWERED, state.LIVE_CALLED):
        st.session_state.pop(key, None)
    context = get_script_run_ctx()
    if context is not None:
        # Streamlit keeps an uploaded file until the visit ends, even where nothing
        # shows it any more. No other page's widgets outlive their page either.
        context.uploaded_file_mgr.remove_session_files(context.session_id)
        clear_session_data_cache(context.session_id)  # pictures of the recordings
