"""train, recipe and runs: settings as given, epochs as they come."""

import os
import shutil
import signal
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import pytest
from commandline import one_line, start

from audiomnist.__main__ import BAD_INPUT, INTERRUPTED, OUTPUT_CLOSED, main
from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora.library import import_corpus
from audiomnist.errors import RunError
from audiomnist.recognition.models import list_models
from audiomnist.runs.config import RunConfig
from audiomnist.runs.folder import Run, create_run, list_runs, update_record
from audiomnist.runs.presets import preset
from audiomnist.runs.queue import requeue_run
from audiomnist.training.config import AugmentationConfig, TrainConfig
from audiomnist.training.history import EpochMetrics, best_epoch, write_history


@pytest.mark.slow
def test_a_training_prints_epochs_and_leaves_a_model(capsys, tiny_folder):
    assert main(["data", "import", "tiny", str(tiny_folder)]) == 0
    words = ["train", "--network", "ann", "--corpus", "tiny", "--split", "random"]
    words += ["--epochs", "2", "--title", "First steps", "--seed", "3"]
    capsys.readouterr()
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "epoch 1 of 2" in out and "epoch 2 of 2" in out
    (run,) = list_runs()
    assert run.state == "finished"
    assert run.config.title == "First steps"
    assert run.config.corpora == ("tiny",)
    assert run.config.split_rule == "random"
    assert run.config.split_seed == run.config.training.seed == 3
    assert run.config.network.kind == "ann"
    assert run.id in list_models()
    assert main(["runs", "list"]) == 0
    listed = one_line(capsys.readouterr().out)
    kept = best_epoch(run.history).val_accuracy
    assert run.id in listed and f"{kept:.1%} on validation" in listed
    assert main(["runs", "delete", run.id]) == 0
    assert not list_runs()
    capsys.readouterr()
    assert main(["runs", "list"]) == 0
    assert "No runs yet" in capsys.readouterr().out


@pytest.fixture
def epochs_of(monkeypatch) -> Callable[..., list[Run]]:
    """Let a training be these epochs and then fail; gives the runs that began."""

    def give(*numbers: int) -> list[Run]:
        begun = []

        def execute(run: Run, on_epoch: Callable) -> None:
            begun.append(run)
            for number in numbers:
                on_epoch(measured(number))
            raise RunError("Enough of that.")

        monkeypatch.setattr("audiomnist.runs.execution.execute_run", execute)
        return begun

    return give


def measured(number: int) -> EpochMetrics:
    """An epoch that went well."""
    return EpochMetrics(number, 0.5, 0.75, 0.25, 0.875, 1.5, 3.0)


LINE = "loss 0.500, accuracy 75.0%; validation loss 0.250, accuracy 87.5%; 1.5 s"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--network", "resnet"), {"network.kind": "resnet"}),
        (("--corpus", "embedded"), {"corpora": ("embedded", "tiny")}),
        (("--split", "random"), {"split_rule": "random"}),
        (
            ("--split", "leave_one_out", "--held-out", "voice1"),
            {"split_rule": "leave_one_out", "held_out": "voice1"},
        ),
        (("--others-part", "0.125"), {"training.others_part": 0.125}),
        (("--speaker-balance", "0.75"), {"training.speaker_balance": 0.75}),
        (("--synthetic-weight", "0.5"), {"training.synthetic_weight": 0.5}),
        (("--seed", "7"), {"split_seed": 7, "training.seed": 7}),
        (("--epochs", "3"), {"training.epochs": 3}),
        (("--batch-size", "48"), {"training.batch_size": 48}),
        (("--learning-rate", "0.002"), {"training.learning_rate": 0.002}),
        (("--patience", "5"), {"training.patience": 5}),
        (("--augment",), {"training.augmentation": AugmentationConfig()}),
        (
            ("--network", "ann", "--no-augment"),
            {"network.kind": "ann", "training.augmentation": None},
        ),
        (("--title", "First steps"), {"title": "First steps"}),
    ],
)
def test_a_new_run_is_the_preset_but_for_what_is_given(
    capsys, tiny, epochs_of, words, expected
):
    begun = epochs_of()
    assert main(["train", *words, "--corpus", tiny]) == BAD_INPUT
    (run,) = begun
    captured = capsys.readouterr()
    assert one_line(captured.out) == f"Run {run.id}"
    assert one_line(captured.err) == "audiomnist: Enough of that."
    changed = {"network.kind": "cnn", "corpora": (tiny,)} | expected
    assert {name: attrgetter(name)(run.config) for name in changed} == changed


def test_other_words_are_those_that_are_given(tmp_path, tiny, epochs_of, spoken):
    folder = tmp_path / "words"
    folder.mkdir()
    for speaker in range(4):
        path = folder / f"hello_somebody{speaker}_0.wav"
        path.write_bytes(encode_wav(spoken(3, speaker)))
    begun = epochs_of()
    words = ["--others", str(folder), "--others", "embedded"]
    assert main(["train", "--corpus", tiny, *words]) == BAD_INPUT
    (run,) = begun
    assert run.config.others == (str(folder), "embedded")


def test_augmentation_is_as_the_preset_has_it_unless_it_is_asked_for(tiny, epochs_of):
    begun = epochs_of()
    for network in ("cnn", "ann"):
        for words in ((), ("--augment",)):
            main(["train", "--network", network, "--corpus", tiny, *words])
    augmentations = [run.config.training.augmentation for run in begun]
    cnn, ann = (preset(kind).training.augmentation for kind in ("cnn", "ann"))
    assert augmentations == [cnn, AugmentationConfig(), ann, ann]
    assert cnn is None and ann is not None


def test_a_training_shows_a_bar_under_the_lines_of_its_epochs(
    capsys, on_terminal, tiny, epochs_of
):
    epochs_of(1, 2, 3, 4)
    assert on_terminal(["train", "--corpus", tiny, "--epochs", "4"]) == BAD_INPUT
    captured = capsys.readouterr()
    _, *lines = captured.out.splitlines()
    assert lines == [f"epoch {number} of 4: {LINE}" for number in (1, 2, 3, 4)]
    shown = captured.err
    assert "Training:   0%" in shown and "| 0/4 [" in shown
    assert "Training: 100%" in shown and "| 4/4 [" in shown
    assert shown.endswith("\naudiomnist: Enough of that.\n")


@pytest.mark.parametrize("option", ["--run", "--resume"])
def test_a_run_that_is_named_goes_on_after_its_last_epoch(
    capsys, on_terminal, tiny, epochs_of, option
):
    run = create_run(
        RunConfig(corpora=(tiny,), training=TrainConfig(epochs=4), title="Mine")
    )
    write_history([measured(1), measured(2)], run.folder)
    if option == "--resume":
        update_record(run, state="cancelled")
    begun = epochs_of(3)
    assert on_terminal(["train", option, run.id]) == BAD_INPUT
    assert begun == [run] and run.state == "waiting"
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [f"Run {run.id}", f"epoch 3 of 4: {LINE}"]
    assert captured.err.index("| 2/4 [") < captured.err.index("| 3/4 [")
    assert "| 0/4 [" not in captured.err


def test_a_recipe_is_given_what_it_is_to_learn_from(
    capsys, monkeypatch, on_terminal, tiny, tmp_path
):
    asked = []

    def follow(name, corpora, others, *, on_step, on_epoch) -> Path:
        asked.append((name, corpora, others))
        for step in (1, 2):
            on_step(step, 2, create_run(RunConfig(corpora=(tiny,), title="Mine")))
            on_epoch(measured(1))
        return tmp_path

    monkeypatch.setattr("audiomnist.recipes.models.follow", follow)
    assert on_terminal(["recipe", "ann"]) == 0
    words = ["--corpus", tiny, "--others", "a", "--corpus", "embedded", "--others", "b"]
    assert on_terminal(["recipe", "cnn", *words]) == 0
    assert asked == [("ann", (), ()), ("cnn", (tiny, "embedded"), ("a", "b"))]
    runs = sorted(run.id for run in list_runs())
    captured = capsys.readouterr()
    assert captured.out.splitlines()[:5] == [
        f"Step 1 of 2: Mine, run {runs[0]}",
        f"epoch 1 of 50: {LINE}",
        f"Step 2 of 2: Mine, run {runs[1]}",
        f"epoch 1 of 50: {LINE}",
        f"The model ann lies in {tmp_path}",
    ]
    assert captured.err.count("| 1/50 [") == 2


def test_a_waiting_run_is_cancelled_and_resumed(capsys, monkeypatch, tiny):
    launched = []
    monkeypatch.setattr("audiomnist.runs.queue.launch_run", launched.append)
    run = create_run(RunConfig(corpora=(tiny,)))
    assert main(["runs", "cancel", run.id]) == 0
    assert one_line(capsys.readouterr().out) == f"{run.id} was cancelled."
    assert (run.state, launched) == ("cancelled", [])
    assert main(["runs", "resume", run.id]) == 0
    assert one_line(capsys.readouterr().out).startswith(f"{run.id} continues")
    assert (run.state, launched) == ("waiting", [run])


def test_a_run_is_published_under_the_name_that_is_given(
    capsys, monkeypatch, tiny, tmp_path
):
    published = []

    def publish(run: Run, name: str) -> Path:
        published.append((run, name))
        return tmp_path / name

    monkeypatch.setattr("audiomnist.recipes.publishing.publish", publish)
    run = create_run(RunConfig(corpora=(tiny,)))
    assert main(["runs", "publish", run.id, "mine"]) == 0
    assert published == [(run, "mine")]
    said = one_line(capsys.readouterr().out)
    assert said == f"The model mine lies in {tmp_path / 'mine'}"


@pytest.mark.parametrize("start", ["--resume", "--run"])
@pytest.mark.parametrize(
    "words",
    [
        ("--network", "cnn"),
        ("--corpus", "embedded"),
        ("--split", "random"),
        ("--held-out", "anna"),
        ("--others", "embedded"),
        ("--others-part", "0"),
        ("--speaker-balance", "0"),
        ("--synthetic-weight", "1"),
        ("--seed", "0"),
        ("--epochs", "3"),
        ("--batch-size", "32"),
        ("--learning-rate", "0.001"),
        ("--patience", "0"),
        ("--augment",),
        ("--title", "Mine", "--epochs", "3"),
    ],
)
def test_a_run_with_settings_takes_no_others(capsys, start, words):
    assert main(("train", start, "some-run", *words)) == BAD_INPUT
    captured = capsys.readouterr()
    assert not captured.out
    said = one_line(captured.err)
    assert said.startswith(f"audiomnist: {start} continues with the run's own settings")
    assert all(word in said for word in words if word.startswith("--"))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_a_training_can_be_resumed_after_ctrl_c_and_after_its_reader_leaves(
    tiny_folder,
):
    import_corpus("tiny", tiny_folder)
    process = start("train", "--network", "ann", "--corpus", "tiny", "--epochs", "300")
    assert process.stdout and process.stderr
    for line in process.stdout:
        if "epoch 2 of" in line:
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, errors
    assert "Traceback" not in errors
    (run,) = list_runs()
    assert run.state == "cancelled"
    n_epochs = len(run.history)
    resumed = start("train", "--resume", run.id)
    assert resumed.stdout
    first = next(line for line in resumed.stdout if "epoch" in line)
    assert f"epoch {n_epochs + 1} of" in first

    resumed.stdout.close()
    resumed.stdout = None  # or it would be read
    _, errors = resumed.communicate(timeout=60)
    assert resumed.returncode == OUTPUT_CLOSED, errors
    assert "Traceback" not in errors and "audiomnist: " not in errors
    assert (run.state, run.message) == ("cancelled", "")
    requeue_run(run)
    assert run.state == "waiting"


def test_a_folder_called_like_a_corpus_is_not_taken_for_it(
    tmp_path, tiny_folder, capsys
) -> None:
    folder = tmp_path / "embedded"
    shutil.copytree(tiny_folder, folder)
    arguments = ["evaluate", "--model", "ann", "--corpus", str(folder)]
    assert main([*arguments, "--part", "test"]) == 2
    assert "was not trained on embedded" in capsys.readouterr().err
