"""The server before its first visitor, and what it never imports."""

import asyncio
import gc
import subprocess
import sys

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from streamlit.web.server.app_discovery import discover_asgi_app
from visitor import APP

from audiomnist.corpora import library
from audiomnist.settings import REPOSITORY
from audiomnist.ui import answers, cached, listen, server
from audiomnist.ui.layout import PAGES
from audiomnist.ui.overview import walk


def test_the_server_never_imports_tensorflow_keras_or_librosa():
    code = f"""
import sys
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from streamlit.web.server.app_discovery import discover_asgi_app
from streamlit_webrtc.webrtc import SignallingTimeoutError
page = AppTest.from_file({str(APP)!r}, default_timeout=60).run()
for name in {list(PAGES)}:
    if name != "overview":
        page.switch_page(f"pages/{{name}}/page.py").run()
    assert page.title and not page.exception and not page.error, name
loaded = {{name.partition(".")[0] for name in sys.modules}}
assert "matplotlib" in loaded
print(*sorted(loaded & {{"tensorflow", "keras", "librosa"}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_the_server_prepares_itself_before_anybody_visits(monkeypatch):
    monkeypatch.setattr(PagesManager, "uses_pages_directory", True)
    server.prepare()
    assert PagesManager.uses_pages_directory is False
    monkeypatch.setattr(sys, "platform", "darwin")
    server.keep_small()


def test_the_server_is_awake_before_it_answers(monkeypatch):
    done = []
    monkeypatch.setattr(server, "wake", lambda: done.append("awake"))

    async def serve() -> None:
        async with server.lifespan(None):
            done.append("serving")

    asyncio.run(serve())
    assert done == ["awake", "serving"]


def test_the_first_visitor_finds_everything_drawn(monkeypatch):
    st.cache_data.clear()
    st.cache_resource.clear()
    server.wake()
    gc.unfreeze()
    monkeypatch.setattr(listen, "plot_waveform", None)
    monkeypatch.setattr(walk, "plot_spectrogram", None)
    for draw in ("plot_features", "plot_probabilities"):
        monkeypatch.setattr(answers, draw, None)
    monkeypatch.setattr(library, "load_corpus", None)
    monkeypatch.setattr(cached, "find_model", None)
    page = AppTest.from_file(APP, default_timeout=60)
    page.context["theme"] = "light"
    page.run()
    assert not page.exception
    assert len(page.get("image")) == 6


def test_waking_says_nothing_of_a_visitor_who_is_not_there():
    code = """
import streamlit_app
from audiomnist.ui import server
streamlit_app.app._runtime = streamlit_app.app._create_runtime()
server.wake()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "ScriptRunContext" not in done.stderr
    assert "No runtime" not in done.stderr


def test_the_server_starts_without_recordings_and_models(
    no_models, monkeypatch, tmp_path
):
    st.cache_resource.clear()
    server.wake()
    monkeypatch.setattr(library, "EMBEDDED_ARCHIVE", tmp_path / "voices.zip")
    st.cache_resource.clear()
    server.wake()
    gc.unfreeze()


def test_streamlit_run_finds_the_server_in_the_entry_point():
    discovered = discover_asgi_app(APP)
    assert discovered.import_string == "streamlit_app:app"
