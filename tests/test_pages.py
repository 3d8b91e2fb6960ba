"""Every page under AppTest: empty, normal and in trouble; and what pages share."""

import asyncio
import gc
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import streamlit as st
import streamlit_webrtc
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from streamlit.web.server.app_discovery import discover_asgi_app
from streamlit_webrtc.webrtc import SignallingTimeoutError

from audiomnist.audio.decoding import decode
from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.configs import config_to_dict
from audiomnist.corpora import library
from audiomnist.corpora.catalogue import CORPORA
from audiomnist.corpora.clips import Clip, load_audio
from audiomnist.errors import AudioError, RunError
from audiomnist.evaluation.files import FILE_NAME, load_evaluation, save_evaluation
from audiomnist.evaluation.metrics import Evaluation
from audiomnist.evaluation.rejection import at_threshold, expected_calibration_error
from audiomnist.evaluation.significance import Rate
from audiomnist.features.config import FeatureConfig
from audiomnist.features.speech import find_speech
from audiomnist.plots.sound import plot_waveform
from audiomnist.recognition.models import DEFAULT_MODEL, find_model, list_models
from audiomnist.recognition.recognizer import (
    NOT_A_DIGIT,
    NOT_SURE,
    Prediction,
    Recognizer,
)
from audiomnist.recognition.streaming import StreamConfig
from audiomnist.runs import folder, worker
from audiomnist.runs.folder import (
    Run,
    create_run,
    delete_run,
    find_run,
    list_runs,
    update_record,
)
from audiomnist.runs.presets import preset
from audiomnist.runs.progress import RunProgress
from audiomnist.runs.queue import cancel_run
from audiomnist.settings import REPOSITORY
from audiomnist.storage import write_json
from audiomnist.training.history import EpochMetrics, write_history
from audiomnist.ui import answers, cached, listen, server, state
from audiomnist.ui.dataset import acquire
from audiomnist.ui.evaluate.report import _figures
from audiomnist.ui.layout import PAGES, plain, script
from audiomnist.ui.live import sources
from audiomnist.ui.live.listener import Listener, mono
from audiomnist.ui.overview import walk
from audiomnist.ui.train import run_form, run_view

APP = REPOSITORY / "streamlit_app.py"


def open_page(name: str, **query: str) -> AppTest:
    """Open a page as a new visitor."""
    page = AppTest.from_file(APP, default_timeout=60).run()
    if name != "overview":
        page.switch_page(script(name))
        page.query_params.update(query)
        page.run()
    assert not page.exception
    return page


def text(page: AppTest) -> str:
    """Everything that a page says in words."""
    kinds = ("title", "subheader", "markdown", "caption", "html")
    boxes = ("info", "success", "warning", "error")
    said = [str(element.value) for kind in kinds + boxes for element in page.get(kind)]
    said += [f"{metric.label}: {metric.value}" for metric in page.metric]
    said += [bar.text for bar in page.get("progress")]
    return "\n".join(said)


def errors(page: AppTest) -> list[str]:
    """The errors that a page shows, as a visitor reads them."""
    return [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", box.value) for box in page.error]


def widget(page: AppTest, kind: str, label: str) -> Any:
    """The one widget of this kind with this label."""
    found = [element for element in page.get(kind) if element.label == label]
    assert len(found) == 1, f"{len(found)} widgets {kind} {label!r}"
    return found[0]


def press(page: AppTest, label: str) -> AppTest:
    """Press a button."""
    widget(page, "button", label).click().run()
    assert not page.exception
    return page


@pytest.fixture
def no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without models."""
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "no-models"))


@pytest.fixture
def tiny(home: Path, tiny_folder: Path) -> str:
    """The corpus of `tiny_folder`, imported."""
    return library.import_corpus("tiny", tiny_folder).corpus.name


@pytest.fixture
def recording(spoken: Callable[..., Audio]) -> bytes:
    """A wav file with one word between silences."""
    word = spoken(3, sample_rate=16_000).samples
    samples = np.random.default_rng(0).normal(0, 1e-4, 32_000).astype(np.float32)
    samples[8000 : 8000 + len(word)] += word
    return encode_wav(Audio(samples, 16_000))


@pytest.fixture
def silence() -> bytes:
    """A wav file in which nobody speaks."""
    noise = np.random.default_rng(0).normal(0, 1e-5, 32_000)
    return encode_wav(Audio(noise.astype(np.float32), 16_000))


def archive(files: dict[str, bytes]) -> bytes:
    """A zip archive of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return content.getvalue()


# Navigation and what pages share


@pytest.mark.parametrize("name", PAGES)
def test_each_page_shows_its_title_and_no_error(name):
    page = open_page(name)
    assert len(page.title) == 1
    assert not page.error


def test_the_navigation_knows_exactly_the_folders_in_pages():
    folders = {path.parent.name for path in (REPOSITORY / "pages").glob("*/page.py")}
    assert set(PAGES) == folders


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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_are_drawn_for_the_visitors_theme(theme, monkeypatch):
    seen = []
    draw = plot_waveform

    def spy(audio, speech, *, style):  # type: ignore[no-untyped-def]
        seen.append(style.dark)
        return draw(audio, speech, style=style)

    monkeypatch.setattr(listen, "plot_waveform", spy)
    st.cache_data.clear()  # all visitors of AppTest are one
    page = AppTest.from_file(APP, default_timeout=60)
    page.context["theme"] = theme
    page.run()
    assert not page.exception
    assert seen == [theme == "dark"]


def test_pictures_are_drawn_once_for_a_visitor(monkeypatch):
    page = open_page("overview")
    monkeypatch.setattr(listen, "plot_waveform", None)
    assert not page.run().exception


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


def test_a_visitors_own_sound_is_drawn_for_the_visit_alone(spoken):
    audio = spoken(3)
    assert listen.wave(audio, None, is_public=True).png
    # Without a visitor there is nobody for whom it could be kept.
    with pytest.raises(StreamlitAPIException, match="session"):
        listen.wave(audio, None)


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
    found = discover_asgi_app(APP)
    assert found.import_string == "streamlit_app:app"


# Overview


def test_overview_walks_from_sound_to_answer():
    page = open_page("overview")
    assert len(page.get("audio")) == 1
    # Wave, spectrogram, and for each of two networks its input and its answer.
    assert len(page.get("image")) == 6
    assert "A **7** by synthetic voice" in text(page)
    assert "**MFCC:**" in text(page) and "**Log-mel:**" in text(page)
    links = {link.label for link in page.get("page_link")}
    assert {"**Say a digit**", "**Train**", "**Evaluate**", "**Browse clips**"} <= links


def test_overview_plays_another_voice_and_another_digit():
    page = open_page("overview")
    first = text(page)
    press(page, "Another voice")
    assert "A **7** by" in text(page)
    assert text(page) != first
    widget(page, "button_group", "Pick a digit").set_value(3).run()
    assert "A **3** by" in text(page)


def test_overview_without_models_still_shows_the_sound(no_models):
    page = open_page("overview")
    assert "Train one on the Train page" in text(page)
    assert len(page.get("image")) == 2


def test_overview_without_its_recordings_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(library, "EMBEDDED_ARCHIVE", tmp_path / "voices.zip")
    page = open_page("overview")
    assert "voices.zip" in errors(page)[0]
    assert "Your turn" in text(page)


# Dataset


def test_dataset_shows_figures_table_and_the_chosen_clip():
    page = open_page("dataset")
    assert "Clips: 5,000" in text(page)
    assert "Digits: 0 to 9" in text(page)
    assert "Synthetic voices" in text(page) or "synthetic voice" in text(page)
    assert "**Licence:** CC0" in text(page)
    first = page.dataframe[0].value
    assert list(first["Digit"]) == [0] * 50
    assert len(page.get("audio")) == 1
    assert "A **0** by" in text(page)


def test_dataset_has_pages_of_clips():
    page = open_page("dataset")
    first = page.dataframe[0].value
    page.get("pagination")[0].set_value(2).run()
    second = page.dataframe[0].value
    assert len(second) == len(first) == 50
    assert not set(second["File"]) & set(first["File"])


def test_dataset_filters_by_digit_and_speaker(tiny):
    page = open_page("dataset")
    widget(page, "selectbox", "Corpus").set_value("tiny").run()
    assert "Clips: 120" in text(page) and "Speakers: 4" in text(page)
    widget(page, "button_group", "Digits").set_value([4, 5]).run()
    widget(page, "multiselect", "Speakers").set_value(["voice2"]).run()
    table = page.dataframe[0].value
    assert set(table["Digit"]) == {4, 5}
    assert set(table["Speaker"]) == {"voice2"}
    assert len(table) == 6
    counts = page.dataframe[1].value
    assert counts.shape == (4, 11)
    assert counts["All"].sum() == 120


def test_dataset_says_when_no_clip_matches(home, spoken):
    files = {
        f"{digit}_voice{digit}_0.wav": encode_wav(spoken(digit)) for digit in (0, 1)
    }
    library.import_corpus("two", io.BytesIO(archive(files)))
    page = open_page("dataset")
    widget(page, "selectbox", "Corpus").set_value("two").run()
    assert "Digits: 0, 1" in text(page)
    widget(page, "button_group", "Digits").set_value([0]).run()
    widget(page, "multiselect", "Speakers").set_value(["voice1"]).run()
    assert "No clip matches" in text(page)


def test_dataset_imports_an_archive_and_reports_what_was_left_out(home, spoken):
    files = {f"{digit}_anna_0.wav": encode_wav(spoken(digit)) for digit in range(10)}
    files |= {"11_anna_0.wav": b"", "3_anna_1.wav": b"no sound"}
    page = open_page("dataset")
    widget(page, "text_input", "Name of the corpus").set_value("anna")
    uploader = widget(page, "file_uploader", "Archive of recordings")
    uploader.set_value(("anna.zip", archive(files), "application/zip"))
    press(page, "Import")
    assert "10 clips of 1 speaker are here now as" in page.success[0].value
    assert widget(page, "selectbox", "Corpus").value == "anna"
    skipped = next(t.value for t in page.dataframe if "Why" in t.value)
    assert set(skipped["File"]) == {"11_anna_0.wav", "3_anna_1.wav"}
    page.run()
    assert not page.success, "said once"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("anna", b"no archive", "anna.zip|archive"),
        ("../anna", archive({"1_a_0.wav": b""}), "cannot be a corpus's name"),
        ("anna", archive({"../1_a_0.wav": b""}), "outside|leave|path"),
        ("embedded", archive({"1_a_0.wav": b""}), "already"),
    ],
)
def test_dataset_refuses_a_bad_import_and_stays(name, content, said, home):
    page = open_page("dataset")
    widget(page, "text_input", "Name of the corpus").set_value(name)
    uploader = widget(page, "file_uploader", "Archive of recordings")
    uploader.set_value(("anna.zip", content, "application/zip"))
    press(page, "Import")
    assert page.error, text(page)
    assert any(part in errors(page)[0] for part in said.split("|"))
    assert "Clips: 5,000" in text(page)
    assert widget(page, "text_input", "Name of the corpus").value == name
    assert library.available() == ("embedded",)


def test_dataset_says_what_is_wrong_with_a_setting(monkeypatch):
    monkeypatch.setenv("AUDIOMNIST_MAX_RUNNING", "many")
    page = open_page("dataset")
    assert any("AUDIOMNIST_MAX_RUNNING" in error for error in errors(page))
    assert "Import your own" in text(page)


def test_dataset_asks_for_what_an_import_needs():
    page = press(open_page("dataset"), "Import")
    assert "Choose an archive" in page.warning[0].value


def test_dataset_says_why_a_download_failed(monkeypatch, tmp_path):
    monkeypatch.setenv("AUDIOMNIST_FSDD_SOURCE", str(tmp_path / "missing.tar.gz"))
    page = press(open_page("dataset"), "Download (16 MB)")
    assert "missing.tar.gz" in errors(page)[0]
    assert "Clips: 5,000" in text(page)


@pytest.mark.corpus
def test_dataset_downloads_a_corpus_and_opens_it(monkeypatch, fsdd_archive):
    monkeypatch.setenv("AUDIOMNIST_FSDD_SOURCE", str(fsdd_archive))
    page = press(open_page("dataset"), "Download (16 MB)")
    assert not page.error
    assert "Clips: 3,000" in text(page)
    assert "CC BY-SA 4.0" in text(page)
    labels = [button.label for button in page.get("button")]
    assert "Download (16 MB)" not in labels and "Download (1.0 GB)" in labels


@pytest.mark.corpus
def test_dataset_says_when_nothing_is_left_to_download(monkeypatch, fsdd_archive):
    cards = {name: CORPORA[name] for name in ("embedded", "fsdd")}
    monkeypatch.setattr(acquire, "CORPORA", cards)
    monkeypatch.setenv("AUDIOMNIST_FSDD_SOURCE", str(fsdd_archive))
    page = press(open_page("dataset"), "Download (16 MB)")
    assert "Every corpus that can be downloaded is on this machine" in text(page)


def test_dataset_offers_every_corpus_that_can_be_downloaded():
    page = open_page("dataset")
    buttons = [b.label for b in page.get("button") if b.label.startswith("Download")]
    assert buttons == ["Download (16 MB)", "Download (1.0 GB)", "Download (2.4 GB)"]
    for card in CORPORA.values():
        if card.name != "embedded":
            assert f"**{card.title}**" in text(page)


def test_dataset_removes_an_imported_corpus(tiny):
    page = open_page("dataset")
    widget(page, "selectbox", "Corpus").set_value("tiny").run()
    press(page, "Remove it")
    assert library.available() == ("embedded",)
    assert "Clips: 5,000" in text(page)


def test_dataset_lets_a_broken_corpus_be_removed(home):
    (home / "corpora" / "fsdd").mkdir(parents=True)
    page = open_page("dataset")
    widget(page, "selectbox", "Corpus").set_value("fsdd").run()
    assert "has 0 clips here" in errors(page)[0]
    press(page, "Remove it")
    assert not page.error
    assert library.available() == ("embedded",)


# Train


def finished_run(home: Path, name: str = "ann") -> Run:
    """A run that has become a shipped model."""
    run_id = f"20260101-000000-{name}"
    shutil.copytree(REPOSITORY / "models" / name, home / "runs" / run_id)
    return find_run(run_id)


def history(n_epochs: int) -> list[EpochMetrics]:
    """A training that goes well."""
    return [
        EpochMetrics(epoch, 1 / epoch, 0.5, 1.1 / epoch, 1 - 0.5 / epoch, 2.0, 2.0)
        for epoch in range(1, n_epochs + 1)
    ]


@pytest.fixture
def running(home: Path) -> Iterator[Run]:
    """A run in its third epoch, whose worker is alive."""
    run = create_run(replace(preset("cnn"), title="My CNN"))
    update_record(run, state="running")
    write_history(history(2), run.folder)
    progress = RunProgress("training", 3, 20, 0.5, 75.0)
    write_json(run.folder / "progress.json", config_to_dict(progress))
    with worker.hold(run.folder):
        yield run


def test_train_with_nothing_trained_says_what_to_do():
    page = open_page("train")
    assert "No runs yet" in text(page)
    assert "Nothing is being trained" in text(page)
    assert "Whole speakers are drawn" in text(page), "the split is explained"


def test_train_starts_what_was_set_up(monkeypatch, tiny):
    launched = []
    monkeypatch.setattr(run_form, "launch_run", launched.append)
    page = open_page("train")
    widget(page, "button_group", "Network").set_value("ann").run()
    widget(page, "multiselect", "Corpora").set_value(["tiny"]).run()
    rule = widget(page, "selectbox", "Split into training and test")
    rule.set_value("leave_one_out").run()
    widget(page, "selectbox", "Speaker to leave out").set_value("voice3")
    widget(page, "slider", "Epochs").set_value(2)
    widget(page, "select_slider", "Batch size").set_value(32)
    widget(page, "select_slider", "Learning rate").set_value(1e-3)
    widget(page, "toggle", "Vary the clips (augmentation)").set_value(True)
    widget(page, "text_input", "Name (optional)").set_value("mine")
    press(page, "Start training")
    (run,) = launched
    config = run.config
    assert config.network.kind == "ann"
    assert (config.corpora, config.title) == (("tiny",), "mine")
    assert (config.split_rule, config.held_out) == ("leave_one_out", "voice3")
    assert (config.training.epochs, config.training.batch_size) == (2, 32)
    assert config.training.learning_rate == 1e-3
    assert config.training.augmentation is not None
    assert page.query_params[state.RUN_PARAM] == run.id
    assert "Waiting for its turn" in text(page)


def test_train_takes_the_other_words_that_a_corpus_brought(monkeypatch, home, tiny):
    folder = home / "corpora" / "tiny" / ".others" / "bed"
    folder.mkdir(parents=True)
    shutil.copy(next((home / "corpora" / "tiny").rglob("*.wav")), folder / "a_b_0.wav")
    launched = []
    monkeypatch.setattr(run_form, "launch_run", launched.append)
    page = press(open_page("train"), "Start training")
    widget(page, "multiselect", "Corpora").set_value(["tiny", "embedded"]).run()
    press(page, "Start training")
    assert [run.config.others for run in launched] == [
        ("embedded",),
        ("embedded", "tiny"),
    ]


def test_train_starts_one_run_for_two_presses_in_a_hurry(monkeypatch):
    now, launched = [100.0], []
    monkeypatch.setattr(run_form, "launch_run", launched.append)
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("audiomnist.ui.train.run_form.time", clock)
    page = open_page("train")

    def start() -> int:
        press(page, "Start training")
        assert not errors(page)
        return len(launched)

    assert [start(), start()] == [1, 1]
    widget(page, "slider", "Epochs").set_value(2).run()
    assert [start(), start()] == [2, 2], "other settings are another run"
    now[0] += 10
    assert start() == 3
    delete_run(launched[-1])
    assert start() == 4
    cancel_run(launched[-1])
    assert start() == 5


def test_train_starts_again_what_the_queue_refused(monkeypatch):
    def refuse(run):
        raise RunError("The queue is full.")

    launch, launched = refuse, []
    monkeypatch.setattr(run_form, "launch_run", lambda run: launch(run))
    page = press(open_page("train"), "Start training")
    assert errors(page) == ["The queue is full."]
    launch = launched.append
    press(page, "Start training")
    assert not errors(page)
    assert list_runs() == launched


def test_train_refuses_at_once_what_cannot_be_split(home):
    for take in range(3):
        word = encode_wav(Audio(np.full(8000, 0.1, np.float32), 16_000))
        (home / f"{take}_anna_{take}.wav").parent.mkdir(exist_ok=True, parents=True)
        (home / f"{take}_anna_{take}.wav").write_bytes(word)
    library.import_corpus("anna", home)
    page = open_page("train")
    widget(page, "multiselect", "Corpora").set_value(["anna"]).run()
    press(page, "Start training")
    assert "has 1 speaker (anna)" in errors(page)[0]
    assert not list_runs()


def test_train_says_that_a_run_is_starting(running):
    (running.folder / "progress.json").unlink()
    waiting = create_run(preset("ann"))
    page = open_page("train")
    assert "Starting" in text(page) and "My CNN" in text(page)
    assert "Waiting for its turn" in text(open_page("train", run=waiting.id))


def test_train_explains_that_a_random_split_flatters():
    page = open_page("train")
    rule = widget(page, "selectbox", "Split into training and test")
    assert rule.options[0] == "By speaker"
    rule.set_value("random").run()
    assert "flatters" in text(page)


def test_train_needs_a_corpus():
    page = open_page("train")
    widget(page, "multiselect", "Corpora").set_value([]).run()
    press(page, "Start training")
    assert "Choose at least one corpus" in text(page)
    assert not list_runs()


def test_train_keeps_nothing_of_a_run_that_the_queue_refuses(monkeypatch, running):
    monkeypatch.setenv("AUDIOMNIST_MAX_WAITING", "0")
    page = press(open_page("train"), "Start training")
    assert "wait" in errors(page)[0]
    assert list_runs() == [running]


def test_train_finds_the_living_run_without_its_name(running):
    page = open_page("train")
    assert "My CNN" in text(page)
    assert "Training, epoch 3 of 20, about 75 s left" in text(page)
    assert "Epochs done: 2" in text(page)
    assert "Validation accuracy: 75.0 %" in text(page)
    assert len(page.get("vega_lite_chart")) == 2


def test_train_cancels_a_run(running, monkeypatch):
    cancelled = []
    monkeypatch.setattr(run_view, "cancel_run", cancelled.append)
    press(open_page("train"), "Cancel")
    assert cancelled == [running]


def test_train_shows_why_a_run_failed_and_resumes_it(home, monkeypatch):
    run = create_run(preset("ann"))
    update_record(run, state="failed", message="The loss became nan.")
    resumed = []
    monkeypatch.setattr(run_view, "resume_run", resumed.append)
    page = open_page("train", run=run.id)
    assert "The loss became nan." in errors(page)[0]
    press(page, "Resume")
    assert resumed == [run]


def test_train_shows_the_result_of_a_finished_run(home):
    run = finished_run(home)
    page = open_page("train", run=run.id)
    rate = load_evaluation(run.folder).accuracy
    said = page.success[0].value
    assert f"{100 * rate.value:.1f} %" in said and f"n = {rate.n:,}" in said
    links = {link.label for link in page.get("page_link")}
    assert {"See where it is wrong", "Speak to it"} <= links


def test_train_lists_runs_and_deletes_one(home):
    run = finished_run(home)
    page = open_page("train")
    table = page.dataframe[0].value
    assert list(table["Network"]) == ["ANN"]
    assert "finished" in table["State"][0]
    page = open_page("train", run=run.id)
    press(page, "Delete it")
    assert not list_runs()
    assert "No runs yet" in text(page)


def test_train_says_when_a_run_is_gone():
    page = open_page("train", run="20200101-000000-cnn")
    assert plain("no run “20200101-000000-cnn”") in page.warning[0].value


def test_train_says_what_is_wrong_with_a_setting(monkeypatch):
    monkeypatch.setenv("AUDIOMNIST_MAX_RUNNING", "many")
    page = open_page("train")
    assert any("AUDIOMNIST_MAX_RUNNING" in error for error in errors(page))
    assert "No runs yet" not in text(page)


def test_train_survives_a_run_that_is_deleted_meanwhile(home, monkeypatch):
    run = finished_run(home)
    monkeypatch.setattr(folder, "list_runs", lambda: [run])
    shutil.rmtree(run.folder)
    page = open_page("train", run=run.id)
    assert run.id in errors(page)[0]
    assert widget(page, "button", "Start training")


def test_train_shows_a_title_as_it_was_typed(home):
    run = finished_run(home)
    title = "![x](http://example.org/x.png)"
    update_record(run, config={**run.record["config"], "title": title})
    (shown,) = [
        element.value
        for element in open_page("train", run=run.id).subheader
        if "example" in element.value
    ]
    assert shown == plain(title)
    assert "![" not in shown and "](" not in shown
    assert shown.replace("\\", "") == title


def test_train_reads_an_evaluation_again_only_when_it_was_written_anew(
    home, monkeypatch
):
    run = finished_run(home)
    tested = cached.tested(run)
    found = load_evaluation(run.folder)
    threshold = run.record["threshold"]
    assert tested.accuracy == found.accuracy
    assert tested.false_answers == at_threshold(found, threshold).false_answers
    path = run.folder / FILE_NAME
    load = load_evaluation
    monkeypatch.setattr(cached, "load_evaluation", None)
    assert cached.tested(run) == tested
    monkeypatch.setattr(cached, "load_evaluation", load)
    path.write_text("{")
    assert cached.tested(run) is None
    path.unlink()
    assert cached.tested(run) is None


def test_train_leads_back_to_the_newest_run(home):
    run = finished_run(home)
    page = open_page("train")
    assert "Nothing is being trained" in text(page)
    (link,) = page.get("page_link")
    assert run.config.title in link.label.replace("\\", "")
    assert f"run={run.id}" in link.proto.query_string
    assert "Test accuracy" in text(open_page("train", run=run.id))


def test_train_warns_of_a_model_that_knows_little(home, monkeypatch):
    run = finished_run(home)
    assert not open_page("train", run=run.id).warning
    weak = cached.Tested(Rate(89, 100), Rate(51, 100), frozenset({"anna"}))
    monkeypatch.setattr(cached, "tested", lambda run: weak)
    page = open_page("train", run=run.id)
    first, second = (warning.value for warning in page.warning)
    assert "Test accuracy 89.0 %" in first and "More epochs" in first
    assert "answers 51.0 % of 100 other words" in second
    assert not page.success


def test_train_says_when_voices_and_not_epochs_are_few(home, monkeypatch):
    run = finished_run(home)
    best = max(metrics.val_accuracy for metrics in run.history)
    for accuracy, said in (
        (best - 0.2, "more speakers will"),
        (best, "More epochs or"),
    ):
        rate = Rate(round(500 * accuracy), 500)
        tested = cached.Tested(rate, Rate(0, 0), frozenset({"an_na"}))
        monkeypatch.setattr(cached, "tested", lambda run, tested=tested: tested)
        monkeypatch.setattr(run_view, "_GOOD_ACCURACY", 1.1)
        page = open_page("train", run=run.id)
        assert said in page.warning[0].value
        (few,) = [c.value for c in page.caption if "All of these" in c.value]
        assert "by one speaker \\(an\\_na\\)" in few


def test_train_survives_a_damaged_run(home):
    folder = home / "runs" / "20200101-000000-cnn"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{")
    assert "No runs yet" in text(open_page("train"))


def test_times_are_said_in_words():
    assert run_view.duration(0.2) == "about 1 s"
    assert run_view.duration(75) == "about 75 s"
    assert run_view.duration(200) == "about 3 min"


# Evaluate


def test_evaluate_without_models_points_to_training(no_models):
    page = open_page("evaluate")
    assert "no trained model yet" in text(page)
    assert [link.label for link in page.get("page_link")] == ["Train a network"]


def test_evaluate_shows_the_held_out_part_of_the_default_model():
    page = open_page("evaluate")
    model = find_model(DEFAULT_MODEL)
    rate = load_evaluation(model.folder).accuracy
    assert f"Accuracy: {100 * rate.value:.1f} %" in text(page)
    assert f"95 % interval: {100 * rate.low:.1f}–{100 * rate.high:.1f} %" in text(page)
    assert f"Clips: {rate.n:,}" in text(page)
    config = model.record["config"]
    said = f"rule “{config['split_rule']}”, seed {config['split_seed']}"
    assert said in text(page)
    assert len(page.get("image")) == 1
    matrix = page.dataframe[0].value
    assert matrix.shape == (10, 11)
    assert matrix.to_numpy().sum() == rate.n


def open_view(view: str, **query: str) -> AppTest:
    """The evaluate page with one of its tabs open."""
    page = open_page("evaluate", **query)
    page.session_state[state.EVALUATE_VIEW] = view
    page.run()
    assert not page.exception
    return page


def test_evaluate_shows_the_report_of_each_digit():
    table = open_view("Digit by digit", model="ann").dataframe[0].value
    assert list(table.columns) == ["precision", "recall", "f1", "support"]
    assert list(table.index[:10]) == [str(digit) for digit in range(10)]


def test_evaluate_shows_each_speaker():
    page = open_view("Speakers")
    found = load_evaluation(find_model(DEFAULT_MODEL).folder)
    assert len(page.dataframe[0].value) == len({clip.speaker for clip in found.clips})
    assert len(page.get("image")) == 1


def test_evaluate_plays_a_mistake(tiny):
    page = open_page("evaluate", model="ann")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    page.session_state[state.EVALUATE_VIEW] = "Mistakes"
    page.run()
    table = page.dataframe[0].value
    assert len(table) == int(page.metric[3].value)
    assert len(page.get("audio")) == 1
    assert "says" in text(page) and "heard as" in text(page)


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """Two models that were tested on recordings of another machine, with a mistake."""
    models = tmp_path / "models"
    shutil.copytree(REPOSITORY / "models", models)
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(models))
    clips = tuple(
        Clip(digit, "anna", 0, Path(f"{digit}_anna_0.wav"), corpus="far-away")
        for digit in range(10)
    )
    rows = np.eye(10, dtype=np.float32)
    rows[4] = rows[5]
    for name in (DEFAULT_MODEL, "ann"):
        save_evaluation(Evaluation(clips, rows, ("far-away",)), models / name)
    return load_evaluation(models / DEFAULT_MODEL)


def test_evaluate_tells_what_to_do_about_recordings_that_are_not_here(away):
    page = open_view("Mistakes")
    (note,) = (box.value for box in page.info if "saved with the model" in box.value)
    assert "far\\-away" in note and "Dataset page" in note
    assert "Accuracy: 90.0 %" in text(page)
    assert "Download its corpus" in text(page)
    assert not page.get("audio") and not page.error


def test_evaluate_compares_what_was_saved_where_no_recording_is_here(away):
    page = open_view("Compare")
    widget(page, "selectbox", "Second model").set_value("ann").run()
    assert f"Of {len(away.clips)} clips" in text(page)
    widget(page, "selectbox", "Second model").set_value("cnn").run()
    assert "The second model has not heard these clips" in text(page)
    assert not page.error


def test_evaluate_says_nothing_of_missing_recordings_where_all_are_here(tiny):
    page = open_page("evaluate")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    assert "saved with the model" not in text(page)


def test_evaluate_hears_another_corpus_on_the_spot(tiny):
    page = open_page("evaluate")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    assert "Clips: 120" in text(page)
    assert "was not trained on this corpus" in text(page)


def test_evaluate_warns_of_clips_that_were_trained_on(home, tiny):
    run = finished_run(home)
    update_record(run, config={**run.record["config"], "corpora": [tiny]})
    page = open_page("evaluate", model=run.id)
    widget(page, "selectbox", "Evaluated on").set_value(tiny).run()
    assert "flatters" in page.warning[0].value
    assert "Clips: 120" in text(page)
    widget(page, "selectbox", "Model").set_value("ann").run()
    assert not page.warning


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    """The default model's evaluation, with the answers to 40 sounds that are no digits.

    It is least sure of the first, and speech is found in all but the last.
    """
    models = tmp_path / "models"
    shutil.copytree(REPOSITORY / "models", models)
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(models))
    sure = np.linspace(0.2, 0.8, 40)
    rows = np.repeat((1 - sure)[:, None] / 9, 10, axis=1).astype(np.float32)
    rows[:, 3] = sure
    rows[-1] = np.nan
    saved = load_evaluation(models / DEFAULT_MODEL)
    found = replace(saved, others=rows, other_names=())
    save_evaluation(found, models / DEFAULT_MODEL)
    return found


def test_evaluate_shows_when_the_model_answers(others):
    page = open_view("When to answer")
    model = find_model(DEFAULT_MODEL)
    point = at_threshold(others, model.threshold)
    said = text(page)
    assert f"at least **{100 * model.threshold:.0f} % sure**" in said
    for label, rate in (
        ("Digits answered", point.coverage),
        ("Right among the answered", point.accuracy),
        ("Other sounds answered", point.false_answers),
    ):
        assert f"{label}: {100 * rate.value:.1f} %" in said
    assert (
        f"line: {100 * expected_calibration_error(others):.1f}\N{NO-BREAK SPACE}%"
        in said
    )
    assert len(page.get("image")) == 2
    curve, bins = page.dataframe[0].value, page.dataframe[1].value
    assert model.threshold in set(curve["threshold"])
    assert curve["false_answers"].notna().all()
    assert bins["n"].sum() == others.is_answered.sum()


def test_evaluate_says_how_to_play_other_sounds(others, tmp_path):
    digits_alone = replace(others, others=others.others[:0])
    save_evaluation(digits_alone, tmp_path / "models" / DEFAULT_MODEL)
    page = open_view("When to answer")
    assert "others=…" in text(page)
    assert "Other sounds answered" not in text(page)
    assert "false_answers" not in page.dataframe[0].value
    assert len(page.get("image")) == 2


def test_evaluate_points_to_the_test_part_where_other_sounds_were_played(others, tiny):
    page = open_view("When to answer")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    assert "Choose the model’s own test part" in text(page)
    assert "holds 40 recordings" in text(page)


def test_evaluate_shows_clips_in_which_nobody_speaks(others, tmp_path):
    nobody = np.full_like(others.probabilities, np.nan)
    folder = tmp_path / "models" / DEFAULT_MODEL
    save_evaluation(replace(others, probabilities=nobody), folder)
    page = open_view("When to answer")
    assert "Digits answered: 0.0 %" in text(page)
    assert "Right among the answered" not in text(page)
    assert len(page.get("image")) == 1


@pytest.mark.parametrize("has_others", [False, True])
def test_the_figures_for_download_say_when_to_answer(others, has_others):
    model = find_model(DEFAULT_MODEL)
    heard = others if has_others else replace(others, others=others.others[:0])
    figures = _figures(model, "", heard)
    again = json.loads(json.dumps(figures, allow_nan=False))
    assert again == figures
    point = at_threshold(heard, model.threshold)
    assert again["threshold"] == model.threshold
    assert again["digits_answered"]["share"] == point.coverage.value
    assert again["right_among_the_answered"]["n"] == point.accuracy.n
    assert again["expected_calibration_error"] == expected_calibration_error(heard)
    row = next(r for r in again["coverage_curve"] if r["threshold"] == model.threshold)
    if has_others:
        assert again["other_sounds_answered"]["share"] == point.false_answers.value
        assert row["false_answers"] == point.false_answers.value
    else:
        assert again["other_sounds_answered"] is None
        assert row["false_answers"] is None


def test_evaluate_compares_two_models(tiny):
    page = open_page("evaluate", model="cnn")
    widget(page, "selectbox", "Evaluated on").set_value("tiny").run()
    page.session_state[state.EVALUATE_VIEW] = "Compare"
    page.run()
    others = [name for name in list_models() if name != "cnn"]
    second = widget(page, "selectbox", "Second model")
    assert second.value == others[0]
    assert len(second.options) == len(others)
    assert "Of 120 clips" in text(page) and "McNemar" in text(page)


def test_evaluate_says_what_is_wrong_with_a_damaged_model(tmp_path, monkeypatch):
    shutil.copytree(REPOSITORY / "models", tmp_path / "models")
    (tmp_path / "models" / DEFAULT_MODEL / "model.tflite").write_bytes(b"cut off")
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "models"))
    page = open_page("evaluate")
    assert "model.tflite" in errors(page)[0]
    widget(page, "selectbox", "Model").set_value("ann").run()
    assert not page.error
    assert "Accuracy" in text(page)


def test_evaluate_says_when_the_named_model_is_gone():
    page = open_page("evaluate", model="gone")
    assert "no model “gone”" in page.warning[0].value
    assert widget(page, "selectbox", "Model").value == DEFAULT_MODEL


# Live


def open_way(way: str, **query: str) -> AppTest:
    """The live page with a way in chosen."""
    page = open_page("live", **query)
    widget(page, "button_group", "Way in").set_value(way).run()
    assert not page.exception
    return page


def test_live_without_models_points_to_training(no_models):
    assert "no trained model yet" in text(open_page("live"))


def test_live_begins_with_the_recorder_and_the_default_model():
    page = open_page("live")
    assert len(page.get("audio_input")) == 1
    assert "Nothing recorded yet" in text(page)
    assert widget(page, "selectbox", "Model").value == DEFAULT_MODEL


def test_live_hears_a_recording_with_the_model_of_the_address(recording):
    page = open_page("live", model="ann")
    page.get("audio_input")[0].upload("word.wav", recording).run()
    assert not page.exception and not page.error
    heard = Recognizer(find_model("ann")).predict_bytes(recording)
    sign = "?" if heard.digit is None else str(heard.digit)
    assert f">{sign}</div>" in text(page)
    assert "Answered in" in text(page)
    assert len(page.get("image")) == 3
    assert widget(page, "selectbox", "Model").value == "ann"


def test_live_hears_no_digit_in_silence(silence):
    page = open_page("live")
    page.get("audio_input")[0].upload("silence.wav", silence).run()
    assert "No speech heard" in text(page)
    assert len(page.get("image")) == 1


def test_live_hears_an_uploaded_file(recording):
    page = open_way(sources.UPLOAD)
    assert "Choose a sound file" in text(page)
    page.get("file_uploader")[0].upload("three.wav", recording).run()
    assert "Answered in" in text(page)
    assert len(page.get("audio")) == 1


@pytest.mark.parametrize("content", [b"", b"not a sound at all", b"RIFF\0\0\0\0WAVE"])
def test_live_says_what_is_wrong_with_a_file(content):
    page = open_way(sources.UPLOAD)
    page.get("file_uploader")[0].upload("bad.wav", content).run()
    assert not page.exception
    assert "bad.wav" in errors(page)[0]
    assert "shown to nobody else" in text(page), "the page goes on"


def test_live_warns_where_a_browser_gives_no_microphone():
    page = AppTest.from_file(APP, default_timeout=60)
    page.context["url"] = "http://192.168.1.5:8501/live"
    page.run().switch_page(script("live")).run()
    assert "https or on localhost" in page.warning[0].value
    page.context["url"] = "https://digits.example.org/live"
    assert not page.run().warning


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for the WebRTC component, which AppTest cannot show."""
    fake = SimpleNamespace(playing=False, signalling=False, error=None, given={})

    def webrtc_streamer(**given: Any) -> SimpleNamespace:
        fake.given = given
        if fake.error:
            raise fake.error
        return SimpleNamespace(state=fake)

    monkeypatch.setattr(streamlit_webrtc, "webrtc_streamer", webrtc_streamer)
    return fake


def test_live_stream_asks_for_unchanged_sound_and_no_foreign_server(stream):
    page = open_way(sources.STREAM)
    assert "Nothing heard yet" in text(page)
    audio = stream.given["media_stream_constraints"]["audio"]
    assert set(audio.values()) == {False} and len(audio) == 3
    assert stream.given["media_stream_constraints"]["video"] is False
    assert stream.given["rtc_configuration"] == {"iceServers": []}
    assert stream.given["mode"] is streamlit_webrtc.WebRtcMode.SENDONLY


def test_live_stream_uses_the_servers_of_the_deployment(stream, monkeypatch):
    monkeypatch.setenv("AUDIOMNIST_ICE_SERVERS", '[{"urls": "stun:example.org"}]')
    open_way(sources.STREAM)
    assert stream.given["rtc_configuration"]["iceServers"] == [
        {"urls": "stun:example.org"}
    ]


def test_live_stream_shows_what_was_heard(stream, recording):
    page = open_way(sources.STREAM)
    stream.playing = True
    page.run()
    assert "Listening" in text(page)
    listener = page.session_state[state.LIVE_LISTENER]
    assert stream.given["queued_audio_frames_callback"] == listener.receive
    asyncio.run(listener.receive([frame(recording)]))
    page.run()
    assert "### Heard: :primary[" in text(page)
    assert len(page.get("image")) == 3
    widget(page, "selectbox", "Model").set_value("ann").run()
    assert "Listening" in text(page)
    assert "Heard:" not in text(page), "another model begins anew"


def test_live_stream_shows_the_last_word_when_it_is_stopped(stream, recording):
    page = open_way(sources.STREAM)
    stream.playing = True
    page.run()
    listener = page.session_state[state.LIVE_LISTENER]
    begun = Audio(decode(recording).samples[:14_400], 16_000)  # in it, a word begins
    asyncio.run(listener.receive([frame(encode_wav(begun))]))
    assert "Heard:" not in text(page.run())
    stream.playing = False
    assert "### Heard: :primary[" in text(page.run())


def test_live_stream_points_to_the_recorder_when_it_does_not_connect(
    stream, monkeypatch
):
    page = open_way(sources.STREAM)
    stream.signalling = True
    assert "Connecting" in text(page.run())
    monkeypatch.setattr(sources, "_PATIENCE", 0.0)
    assert "choose Record" in page.run().warning[0].value
    stream.error = SignallingTimeoutError()
    assert "choose Record" in page.run().warning[0].value


def frame(recording: bytes) -> SimpleNamespace:
    """A wav file as one of PyAV's frames: 16 bit, interleaved, two channels."""
    audio = decode(recording)
    whole = np.round(audio.samples * 32767).astype(np.int16)
    return SimpleNamespace(
        to_ndarray=lambda: np.repeat(whole, 2)[None, :],
        layout=SimpleNamespace(channels=("left", "right")),
        sample_rate=audio.sample_rate,
    )


# The listener between WebRTC's thread and the page


class NoModel:
    """A recognizer that is never asked."""


def test_frames_become_mono_of_the_right_scale():
    interleaved = np.array([[100, 300, -32768, -32768]], dtype=np.int16)
    assert mono(interleaved, 2) == pytest.approx([200 / 32768, -1.0])
    planar = np.array([[0.5, -0.5], [0.0, -0.5]], dtype=np.float32)
    assert mono(planar, 2) == pytest.approx([0.25, -0.5])
    assert mono(interleaved, 2).dtype == np.float32


def test_listener_hears_words_with_their_sound(spoken):
    listener = Listener(Recognizer(find_model("cnn")))
    rng = np.random.default_rng(0)
    quiet = rng.normal(0, 1e-4, 16_000).astype(np.float32)
    said = np.concatenate([quiet, spoken(3, sample_rate=16_000).samples, quiet])
    for first in range(0, len(said), 320):
        listener.hear(said[first : first + 320], 16_000)
    assert listener.take() and not listener.take()
    (word,) = listener.heard
    assert word.prediction.start == pytest.approx(1.0, abs=0.2)
    assert 0.4 < word.audio.duration < 1.2
    assert np.abs(word.audio.samples).max() > 0.3
    found = find_speech(word.audio)
    assert found is not None
    assert word.speech.start == pytest.approx(found.start, abs=0.05)
    assert word.speech.end == pytest.approx(found.end, abs=0.05)
    assert word.speech.start == pytest.approx(StreamConfig().context, abs=1e-3)
    assert listener.seconds == pytest.approx(len(said) / 16_000)


def test_listener_hears_the_word_that_the_end_cuts_short(spoken):
    listener = Listener(Recognizer(find_model("cnn")))
    word = spoken(3, sample_rate=16_000).samples
    listener.hear(np.concatenate([np.zeros(16_000, np.float32), word]), 16_000)
    assert not listener.take()
    listener.finish()
    assert listener.take()
    (heard,) = listener.heard
    assert heard.prediction.start > 0.9
    assert heard.speech.start < heard.speech.end <= heard.audio.duration
    assert listener.seconds == 0, "what comes next is another stream"
    listener.finish()
    assert not listener.take()


def test_listener_forgets_old_sound_and_begins_anew_at_another_rate():
    listener = Listener(Recognizer(find_model("cnn")))
    silence = np.zeros(16_000, np.float32)
    for _ in range(20):
        listener.hear(silence, 16_000)
    assert listener.seconds == 20
    assert listener.n_kept <= 8 * 16_000
    listener.hear(silence, 8000)
    assert listener.seconds == 2


def test_listener_keeps_what_went_wrong_until_all_is_well():
    listener = Listener(Recognizer(find_model("cnn")))
    listener.hear(np.full(320, np.nan, np.float32), 16_000)
    assert "not finite" in listener.error
    listener.hear(np.zeros(320, np.float32), 16_000)
    assert listener.error == ""
    assert listener.seconds == 0.02, "what was not heard is no part of the stream"


def test_a_corpus_that_is_replaced_under_its_name_is_seen(tiny, tiny_folder, tmp_path):
    before = cached.corpus("tiny")
    lengths = cached.durations(before)
    heard = cached.evaluate_corpus("ann", "tiny")
    assert cached.corpus("tiny") is before
    assert cached.evaluate_corpus("ann", "tiny") is heard
    other = tmp_path / "other"
    other.mkdir()
    for clip in before.clips:  # as many bytes, but half as long and another sound
        audio = load_audio(clip)
        faster = Audio(audio.samples[::-1].copy(), 2 * audio.sample_rate)
        (other / clip.name).write_bytes(encode_wav(faster))
    library.remove_corpus("tiny")
    library.import_corpus("tiny", other)
    assert cached.corpus("tiny") is not before
    np.testing.assert_allclose(cached.durations(cached.corpus("tiny")), lengths / 2)
    again = cached.evaluate_corpus("ann", "tiny")
    assert again.clips == heard.clips
    assert not np.array_equal(again.probabilities, heard.probabilities)


def test_a_model_that_is_replaced_under_its_name_is_seen(tmp_path, monkeypatch):
    shipped = find_model("cnn").folder.parent
    folder = tmp_path / "models"
    shutil.copytree(shipped / "cnn", folder / "mine")
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(folder))
    before, tested = cached.recognizer("mine"), cached.held_out("mine")
    assert cached.recognizer("mine") is before
    assert cached.held_out("mine") is tested
    shutil.rmtree(folder / "mine")
    shutil.copytree(shipped / "ann", folder / "mine")
    assert cached.recognizer("mine").model.features.kind == "mfcc"
    assert cached.held_out("mine").accuracy != tested.accuracy


def test_names_in_errors_are_no_markdown(monkeypatch):
    said = r"*a*_b_[c](d)$e$:red[f]\g.wav is empty. Record `it` again."

    def refuse(*_: object, **__: object) -> None:
        raise AudioError(said)

    monkeypatch.setattr("audiomnist.ui.listen.play", refuse)
    (box,) = open_page("dataset").error
    assert box.value == plain(said)
    assert plain(said).count("\\*") == 2


def test_errors_of_the_package_do_not_end_a_page(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AudioError("This sound is broken. Record it again.")

    monkeypatch.setattr("audiomnist.ui.listen.play", refuse)
    page = open_page("dataset")
    assert errors(page)[0] == "This sound is broken. Record it again."
    assert "Every clip" not in text(page)
    assert "Download" in text(page)


@pytest.mark.parametrize(
    ("digit", "reason", "likeliest", "expected"),
    [
        (None, NOT_SURE, 0.15, "most like 7, but 15 % is less than the 20 %"),
        (None, NOT_SURE, 0.1996, "19.96 % is less than the 20.00 %"),
        (None, NOT_A_DIGIT, 0.11, "No bar stands out"),
        (7, "", 0.6, "second guess is 2 with 38 %, after 7 with 60 %"),
        (7, "", 0.99, "No digit but 7 comes into question"),
        (7, "", 0.45, "A doubtful answer: 7 has no more than 45 %"),
        (
            7,
            "",
            0.3,
            "no digit at all, 78 % in all ten; without it 7 has 22 %",
        ),
    ],
)
def test_an_answer_is_explained(digit, reason, likeliest, expected):
    probabilities = np.full(10, 0.02 / 8)
    probabilities[7], probabilities[2] = likeliest, 0.98 - likeliest
    if not 0.5 < likeliest < 0.98:
        probabilities[:] = (1 - likeliest) / 9
        probabilities[7] = likeliest
    heard = Prediction(digit, probabilities, 0.1, 0.5, 1.0, None, reason)
    assert expected in answers.explain(heard, 0.2)


def test_what_reaches_a_model_is_told_by_how_it_is_fitted():
    assert "Only the shaded part" in answers.reach(FeatureConfig())
    window = preset("pretrained").features
    assert "hears 0.9 seconds around the middle" in answers.reach(window)


def test_a_shipped_model_is_shown_with_what_strangers_find():
    model = find_model(DEFAULT_MODEL)
    measured = model.record["calibration"]
    rate = measured["n_correct"] / measured["n_clips"]
    page = open_page("evaluate", model=DEFAULT_MODEL)
    (note,) = [info.value for info in page.info if "strangers" in info.value]
    assert f"**{100 * rate:.1f} %**" in note
    assert f"n = {measured['n_clips']:,}" in note


def test_mistakes_that_live_would_not_make_are_told_apart():
    model = find_model("cnn")
    mistakes = load_evaluation(model.folder).errors()
    n_sure = sum(mistake.probability >= model.threshold for mistake in mistakes)
    page = open_page("evaluate", model="cnn")
    page.session_state[state.EVALUATE_VIEW] = "Mistakes"
    page.run()
    assert f"would give {n_sure} of these {len(mistakes)} answers" in text(page)
