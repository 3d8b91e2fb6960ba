"""The dataset page's ways to more recordings: download, import, remove."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pandas as pd
import streamlit as st

from audiomnist.audio.formats import FORMAT_NAMES
from audiomnist.corpora import library
from audiomnist.corpora.catalogue import CORPORA, KnownCorpus
from audiomnist.corpora.library import ImportReport
from audiomnist.runs.clips import remove_unused_corpus
from audiomnist.storage import Progress
from audiomnist.ui import layout, state
from audiomnist.ui.dataset import reading
from audiomnist.ui.titles import short_corpus_title

_ARCHIVES = ["zip", "tar", "gz", "tgz", "bz2", "xz"]

_STAGES = {
    "downloading": "Downloading",
    "verifying": "Verifying the archive",
    "unpacking": "Unpacking",
    "checking": "Checking the recordings",
    "copying": "Copying",
}

_REDRAW = 0.1
"""Seconds between two states of a progress bar: a visitor sees no more."""


def offer_downloads() -> None:
    """Offer every known corpus that is not on this machine yet."""
    here = library.available()
    missing = [known for known in CORPORA.values() if known.name not in here]
    for known in missing:
        with st.container(border=True):
            _offer(known)
    if not missing:
        st.markdown("Every corpus that can be downloaded is on this machine.")


def _offer(known: KnownCorpus) -> None:
    """One corpus with its licence and a button."""
    st.markdown(f"**{known.title}** · {known.n_clips:,} clips\n\n{known.description}")
    st.caption(f"Licence: {known.licence}. Please cite: {known.citation}")
    mb = known.download_mb
    size = f"{mb} MB" if mb < 1000 else f"{mb / 1000:.1f} GB"
    label = f"Download ({size})"
    if st.button(label, key=f"download-{known.name}", type="primary"):
        with layout.guard():
            with progress_bar(known.download_mb) as show:
                corpus = library.download(known.name, on_progress=show)
            st.session_state[state.DATASET_REPORT] = ImportReport(corpus, ())
            _open(known.name)


def offer_import() -> None:
    """Take an archive of a visitor's recordings, and report what came of it."""
    st.markdown(
        f"Pack recordings ({FORMAT_NAMES}) into a zip or tar archive and name them "
        "`{digit}_{speaker}_{take}`, such as `7_anna_0.wav`, put them into a folder "
        "for each digit, or list them with digit and speaker in a CSV file. For larger "
        "archives use `python -m audiomnist data import NAME FILE`."
    )
    # Emptied by a success, kept as it is by a mistake.
    turn = len(library.available())
    with st.container(border=True):
        name = st.text_input(
            "Name of the corpus",
            placeholder="my-recordings",
            key=f"import-name-{turn}",
            help="Letters, digits, “-” and “_”.",
        )
        file = st.file_uploader(
            "Archive of recordings",
            type=_ARCHIVES,
            key=f"import-file-{turn}",
            help="A zip or tar archive. Everyone who uses this app will be able to "
            "hear it.",
        )
        readings = None
        with layout.guard():
            readings = reading.ask(file, turn) if file else None
        pressed = st.button("Import", type="primary", key=f"import-{turn}")
    if not pressed:
        return
    if not name or file is None:
        st.warning("Choose an archive and give the corpus a name, then press Import.")
        return
    if readings is None:  # what is wrong with the archive has been said
        return
    with layout.guard():
        with progress_bar() as show:
            report = library.import_corpus(
                name, file, pattern=readings.pattern, on_progress=show
            )
        st.session_state[state.DATASET_REPORT] = report
        _open(name)


def show_import_report() -> None:
    """Say once what the last import or download brought and what it left out."""
    report: ImportReport | None = st.session_state.pop(state.DATASET_REPORT, None)
    if report is None:
        return
    st.success(
        f"{len(report.corpus.clips):,} clips by {report.corpus.people} are now "
        f"available as “{layout.plain(report.corpus.name)}”.",
        icon=":material/check_circle:",
    )
    if n := report.n_left_out:
        found = "1 file was" if n == 1 else f"{n:,} files were"
        with st.expander(f"{found} left out", expanded=True):
            st.dataframe(
                pd.DataFrame(report.left_out, columns=["File", "Why"]), hide_index=True
            )


def offer_removal(name: str) -> None:
    """Offer to delete a downloaded or imported corpus, after a second thought."""
    if name == "embedded":
        return
    st.header("Remove", anchor=False)
    title = layout.plain(short_corpus_title(name))
    with st.popover(f"Remove {title}", icon=":material/delete:"):
        question = (
            f"Delete all recordings of **{title}** from this machine? They will be "
            "gone for everybody who uses the app, and only another download or import "
            "brings them back. Trained models stay."
        )
        if layout.destroy("Remove it", question, key=f"remove-{name}"):
            with layout.guard():
                remove_unused_corpus(name)
                _open("embedded")


@contextmanager
def progress_bar(download_mb: int = 0) -> Iterator[Callable[[Progress], None]]:
    """Show a progress bar during the block, which gets what moves it.

    Parameters
    ----------
    download_mb
        Size of the download, roughly, for servers that do not tell it; 0 if not known.
    """
    bar = st.empty()
    drawn = 0.0

    def show(progress: Progress) -> None:
        nonlocal drawn
        done, total = progress.done, progress.total
        if progress.stage == "downloading" and total is None and download_mb:
            total = max(done, 1_000_000 * download_mb)
        if time.monotonic() - drawn < _REDRAW and done != total:
            return
        drawn = time.monotonic()
        stage = _STAGES.get(progress.stage, progress.stage.capitalize())
        in_bytes = progress.is_in_bytes
        unit = (lambda n: f"{n / 1e6:.1f} MB") if in_bytes else (lambda n: f"{n:,}")
        text = f"{stage}: {unit(done)}" + (f" of {unit(total)}" if total else "")
        bar.progress(min(1.0, done / total) if total else 0.0, text)

    try:
        yield show
    finally:
        bar.empty()


def _open(name: str) -> None:
    """Show this corpus in a new run of the page."""
    st.session_state[state.DATASET_OPEN] = name
    st.rerun()
