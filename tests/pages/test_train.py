"""The train page: setting up a run, watching it, and what became of it."""

import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from visitor import errors, open_page, press, text, widget

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.configs import config_to_dict
from audiomnist.corpora import library
from audiomnist.errors import RunError
from audiomnist.evaluation.files import load_evaluation
from audiomnist.evaluation.significance import Rate
from audiomnist.runs import folder, worker
from audiomnist.runs.folder import Run, create_run, delete_run, list_runs, update_record
from audiomnist.runs.presets import preset
from audiomnist.runs.progress import RunProgress
from audiomnist.runs.queue import cancel_run
from audiomnist.storage import write_json
from audiomnist.training.history import (
    BatchLoss,
    EpochMetrics,
    write_batch_losses,
    write_history,
)
from audiomnist.ui import cached, state, theme
from audiomnist.ui.layout import plain
from audiomnist.ui.train import run_form, run_view


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


def test_train_forgets_what_the_chosen_corpora_do_not_have(tiny):
    page = open_page("train")
    widget(page, "multiselect", "Corpora").set_value(["embedded", "tiny"]).run()
    rule = widget(page, "selectbox", "Split into training and test")
    rule.set_value("leave_one_out").run()
    widget(page, "selectbox", "Speaker to leave out").set_value("voice3").run()
    widget(page, "multiselect", "Corpora").set_value(["embedded"]).run()
    left_out = widget(page, "selectbox", "Speaker to leave out")
    assert not page.exception and left_out.value in left_out.options
    widget(page, "multiselect", "Corpora").set_value(["embedded", "tiny"]).run()
    rule = widget(page, "selectbox", "Split into training and test")
    rule.set_value("corpus").run()
    widget(page, "multiselect", "Corpora").set_value(["tiny"]).run()
    assert not page.exception
    rule = widget(page, "selectbox", "Split into training and test")
    assert rule.value != "corpus"


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


def test_train_lets_others_start_while_one_start_is_slow(monkeypatch):
    # The runtime that AppTest makes up ends with the run that is inside of the other.
    monkeypatch.setattr(theme, "follow", lambda: None)
    second = open_page("train")
    launched, is_waiting = [], []

    def launch(run):
        launched.append(run)
        if len(launched) == 1:
            other = threading.Thread(target=press, args=(second, "Start training"))
            other.start()
            other.join(30)
            is_waiting.append(other.is_alive())

    monkeypatch.setattr(run_form, "launch_run", launch)
    page = press(open_page("train"), "Start training")
    assert not errors(page) and not errors(second)
    assert (is_waiting, len(launched)) == ([False], 2)


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


def test_train_says_before_a_training_what_is_wrong_with_the_clips(home, spoken):
    folder = home / "in"
    folder.mkdir(parents=True)
    for name in ("theo", "Theo"):
        for digit in (0, 1, 2):
            for take in range(8):
                sound = encode_wav(spoken(digit, take))
                (folder / f"{digit}_{name}_{take}.wav").write_bytes(sound)
    library.import_corpus("theo", folder)
    page = open_page("train")
    assert not page.warning
    widget(page, "multiselect", "Corpora").set_value(["theo"]).run()
    (said,) = (box.value for box in page.warning)
    assert "Nobody says 3" in said
    assert "24 of 24 test clips are byte for byte the same" in said
    assert "probably the same person" in said
    widget(page, "multiselect", "Corpora").set_value([]).run()
    assert not page.warning


def test_train_says_that_a_run_waits_and_stays_with_the_one_at_work(
    running, monkeypatch
):
    monkeypatch.setattr(run_form, "launch_run", lambda run: None)
    page = open_page("train")
    widget(page, "text_input", "Name (optional)").set_value("next [one]")
    press(page, "Start training")
    (said,) = (toast.value for toast in page.toast)
    assert plain("next [one]") in said
    assert "waits in the queue behind another training" in said
    assert page.query_params[state.RUN_PARAM] == running.id
    assert "Training, epoch 3 of 20" in text(page)
    assert f"1 in the queue: {plain('next [one]')}" in text(page)


def test_train_scrolls_once_to_the_run_that_was_started(monkeypatch):
    monkeypatch.setattr(run_form, "launch_run", lambda run: None)

    def n_scripts(page) -> int:
        return sum("scrollIntoView" in str(each.value) for each in page.get("html"))

    page = open_page("train")
    assert n_scripts(page) == 0
    press(page, "Start training")
    assert [toast.value for toast in page.toast] == ["The training is starting."]
    assert n_scripts(page) == 1
    page.run()
    assert n_scripts(page) == 0


def test_train_shows_losses_and_the_whole_axis_before_the_first_epoch(running):
    (running.folder / "history.csv").unlink()
    write_batch_losses([BatchLoss(0.1, 2.0), BatchLoss(0.2, 1.5)], running.folder)
    page = open_page("train")
    assert "Epochs done: 0" in text(page)
    loss, _ = page.get("vega_lite_chart")
    spec = json.loads(loss.proto.spec)
    batches = spec["layer"][1]
    assert batches["encoding"]["x"]["scale"]["domain"] == [
        0,
        running.config.training.epochs,
    ]


def test_train_asks_before_it_deletes_and_names_what_goes(finished_run):
    page = open_page("train", run=finished_run.id)
    name = plain(finished_run.config.title)
    assert f"Delete “{name}” with its model" in text(page)
    button = widget(page, "button", "Delete it")
    assert button.proto.type == "secondary"


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


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        (
            RunProgress("preparing", 0, 9, 0.5, 4.0),
            "Preparing the clips, about 4 s left until it learns",
        ),
        (RunProgress("training", 1, 9), "Building the network, epoch 1 of 9"),
        (RunProgress("training", 1, 9, 0.1), "Training, epoch 1 of 9"),
    ],
)
def test_train_says_what_a_run_does_before_its_first_epoch(progress, said, running):
    write_json(running.folder / "progress.json", config_to_dict(progress))
    (bar,) = open_page("train").get("progress")
    assert bar.text == said


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


def test_train_shows_the_result_of_a_finished_run(finished_run):
    page = open_page("train", run=finished_run.id)
    rate = load_evaluation(finished_run.folder).accuracy
    said = text(page)
    assert f"{100 * rate.value:.1f} %" in said and f"n = {rate.n:,}" in said
    links = {link.label for link in page.get("page_link")}
    assert {"See where it is wrong", "Speak to it"} <= links


def test_train_says_why_the_loss_does_not_come_to_nothing(finished_run):
    training = finished_run.config.training
    assert f"stays above {training.least_loss:.2f} even" in text(
        open_page("train", run=finished_run.id)
    )


def test_train_lists_runs_and_deletes_one(finished_run):
    page = open_page("train")
    table = page.dataframe[0].value
    assert list(table["Network"]) == ["ANN"]
    assert list(table["State"]) == ["Finished"]
    page = open_page("train", run=finished_run.id)
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


def test_train_survives_a_run_that_is_deleted_meanwhile(finished_run, monkeypatch):
    monkeypatch.setattr(folder, "list_runs", lambda: [finished_run])
    shutil.rmtree(finished_run.folder)
    page = open_page("train", run=finished_run.id)
    assert finished_run.id in errors(page)[0]
    assert widget(page, "button", "Start training")


def test_train_shows_a_title_as_it_was_typed(finished_run):
    title = "![x](http://example.org/x.png)"
    update_record(finished_run, config=replace(finished_run.config, title=title))
    (shown,) = [
        element.value
        for element in open_page("train", run=finished_run.id).header
        if "example" in element.value
    ]
    assert shown == plain(title)
    assert "![" not in shown and "](" not in shown
    assert shown.replace("\\", "").replace("\N{WORD JOINER}", "") == title


def test_train_leads_back_to_the_newest_run(finished_run):
    page = open_page("train")
    assert "Nothing is being trained" in text(page)
    (link,) = page.get("page_link")
    assert finished_run.config.title in link.label.replace("\\", "")
    assert f"run={finished_run.id}" in link.proto.query_string
    assert "Test accuracy" in text(open_page("train", run=finished_run.id))


def test_train_warns_of_a_model_that_knows_little(finished_run, monkeypatch):
    assert not open_page("train", run=finished_run.id).warning
    weak = cached.Tested(
        Rate(89, 100), Rate(20, 100), Rate(51, 100), frozenset({"anna"})
    )
    monkeypatch.setattr(cached, "tested", lambda run: weak)
    page = open_page("train", run=finished_run.id)
    assert "answers **20.0 %**" in text(page)
    first, silent, second = (
        warning.value.replace("\N{NO-BREAK SPACE}", " ") for warning in page.warning
    )
    assert "Test accuracy 89.0 %" in first and "More epochs" in first
    assert "A lower threshold" in silent
    assert "takes 51.0 % of 100 other words" in second
    assert not page.success


def test_train_says_when_voices_and_not_epochs_are_few(finished_run, monkeypatch):
    best = max(metrics.val_accuracy for metrics in finished_run.history)
    for accuracy, said in (
        (best - 0.2, "more speakers will"),
        (best, "More epochs or"),
    ):
        rate = Rate(round(500 * accuracy), 500)
        tested = cached.Tested(rate, Rate(500, 500), Rate(0, 0), frozenset({"an_na"}))
        monkeypatch.setattr(cached, "tested", lambda run, tested=tested: tested)
        monkeypatch.setattr(run_view, "_GOOD_ACCURACY", 1.1)
        page = open_page("train", run=finished_run.id)
        assert said in page.warning[0].value
        (few,) = [c.value for c in page.caption if "All of these" in c.value]
        assert "by one speaker \\(an\\_na\\)" in few


def test_train_survives_a_damaged_run(home):
    folder = home / "runs" / "20200101-000000-cnn"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{")
    assert "No runs yet" in text(open_page("train"))
