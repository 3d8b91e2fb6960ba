"""Choose one of the trained models, by name or by the page's address."""

import streamlit as st

from audiomnist.errors import RunError
from audiomnist.networks.architectures import find_architecture
from audiomnist.recognition.models import list_models
from audiomnist.runs.record import read_record
from audiomnist.settings import settings
from audiomnist.ui import layout, state


def choose_model(key: str, help: str) -> str | None:
    """Let the visitor choose a model; None, said in words, where there is none.

    The address can name a model (`?model=cnn`), and names the one that was chosen.

    Parameters
    ----------
    key
        Of the widget.
    help
        What the model is chosen for.
    """
    names = list_models()
    if not names:
        layout.empty("There is no trained model yet. Train one, then come back.")
        layout.link("train", "Train a network")
        return None
    named = st.query_params.get(state.MODEL_PARAM)
    if named in names:
        st.session_state[key] = named
    elif named:
        st.warning(
            f"There is no model “{layout.plain(named)}” here. Choose another one."
        )
    if st.session_state.get(key) not in names:
        st.session_state[key] = names[0]

    def remember() -> None:
        st.query_params[state.MODEL_PARAM] = st.session_state[key]

    return st.selectbox(
        "Model",
        names,
        format_func=title,
        key=key,
        on_change=remember,
        persist_state="session",
        help=help,
    )


def title(name: str) -> str:
    """What to call a model in a list: its network, its run's title and its name."""
    here = settings()
    is_shipped = (here.models / name).is_dir()
    try:
        folder = (here.models if is_shipped else here.runs) / name
        config = read_record(folder).config
    except RunError:
        return name
    kind, given = find_architecture(config.network.kind).title, config.title
    if is_shipped:
        return f"{name}: {kind}"
    return f"{kind} · {given} ({name})" if given else f"{kind} · {name}"
