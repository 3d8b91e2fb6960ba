"""The command line: what is printed, where, and with which exit status."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiomnist.__main__ import BAD_INPUT, INTERRUPTED, OUTPUT_CLOSED, main
from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.commands.measuring import NAMES, Benchmark
from audiomnist.corpora.library import available, import_corpus, load_corpus
from audiomnist.corpora.split_rules import RULES
from audiomnist.errors import RunError
from audiomnist.networks.architectures import ARCHITECTURES
from audiomnist.networks.speech_embedding import Layer
from audiomnist.recipes import embedding, espeak
from audiomnist.recognition.models import DEFAULT_MODEL, find_model, list_models
from audiomnist.runs.config import RunConfig
from audiomnist.runs.folder import Run, create_run, list_runs, update_record
from audiomnist.runs.presets import preset
from audiomnist.runs.queue import requeue_run
from audiomnist.runs.record import read_record, write_record
from audiomnist.settings import REPOSITORY
from audiomnist.training.config import AugmentationConfig, TrainConfig
from audiomnist.training.history import EpochMetrics, best_epoch, write_history

COMMANDS = (
    *("data", "train", "recipe", "runs", "models", "evaluate", "predict"),
    "benchmark",
)
FIELDS = {
    *("path", "digit", "probability", "probabilities", "latency_ms", "reason"),
    *("error", "not_a_digit"),
}


def start(*words: str, **options) -> subprocess.Popen:
    """Start the command line as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "audiomnist", *words],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_listen_to_ctrl_c if os.name == "posix" else None,
        **options,
    )


def _listen_to_ctrl_c() -> None:
    """What runs in the background, as tests may, has been told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def one_line(text: str) -> str:
    """The only line of a text."""
    assert text.endswith("\n")
    (line,) = text.splitlines()
    return line


@pytest.fixture
def word(tmp_path: Path, spoken) -> Path:
    """A recording with something in it."""
    path = tmp_path / "word.wav"
    path.write_bytes(encode_wav(spoken(3)))
    return path


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    """A recording with nothing in it."""
    path = tmp_path / "silence.wav"
    path.write_bytes(encode_wav(Audio(np.zeros(8000, np.float32), 8000)))
    return path


@pytest.fixture
def on_terminal(capsys, monkeypatch) -> Callable[[Sequence[str]], int]:
    """`main` where stderr is a terminal."""

    def run(words: Sequence[str]) -> int:
        with monkeypatch.context() as patch:
            patch.setattr(sys.stderr, "isatty", lambda: True)
            return main(words)

    return run


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file that is no recording."""
    path = tmp_path / "broken.wav"
    path.write_bytes(b"RIFF, or so it says")
    return path


# Help


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_explains_every_command(capsys, words, option):
    assert main([*words, option]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(
        f"Usage: {' '.join(('python -m audiomnist', *words))}"
    )
    assert not captured.err
    if not words:
        assert all(f"\n  {name} " in captured.out for name in COMMANDS)


def test_help_of_train_names_every_rule_and_network(capsys):
    assert main(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*RULES, *ARCHITECTURES))


def test_help_of_benchmark_names_every_benchmark(capsys):
    assert main(["benchmark", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*NAMES, "all", "tables"))


def test_no_command_loads_what_it_does_not_need(word):
    heavy = {"librosa", "streamlit", "tensorflow", "keras", "pandas", "tqdm", "rich"}
    for words, slow in ((["--help"], heavy | {"numpy"}), (["predict", word], heavy)):
        code = (
            "import sys\nfrom audiomnist.__main__ import main\n"
            f"assert main({[str(word) for word in words]!r}) == 0\n"
            f"loaded = {slow!r} & set(sys.modules)\nassert not loaded, loaded\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


# Bad input


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "Missing command"),
        (("dance",), "'dance'"),
        (("predict", "--dance"), "--dance"),
        (("evaluate",), "--corpus"),
        (("evaluate", "--corpus", "x", "--part", "some"), "'all', 'test'"),
        (("benchmark",), "WHAT"),
        (("benchmark", "patience"), "'tables'"),
        (("data",), "Missing command"),
        (("data", "download"), "NAME"),
        (("data", "import", "mine"), "SOURCE"),
        (("data", "remove"), "NAME"),
        (("data", "synthesize"), "--out"),
        (("data", "embedding"), "--out"),
        (("runs",), "Missing command"),
        (("runs", "publish", "some-run"), "NAME"),
        (("recipe",), "NAME"),
        (("train", "--epochs", "many"), "'many' is not a valid integer"),
        (("train", "--learning-rate", "high"), "'high' is not a valid float"),
        (("train", "--run", "one", "--resume", "two"), "--run is not allowed"),
    ],
)
def test_words_that_are_no_command_are_refused_in_one_line(capsys, words, expected):
    assert main(words) == BAD_INPUT
    captured = capsys.readouterr()
    assert not captured.out
    said = one_line(captured.err)
    assert expected in said
    group = " ".join(("python -m audiomnist", *words[:1]))
    assert said.startswith((f"{group}:", f"{group} ", "python -m audiomnist:"))
    assert said.endswith("--help")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("predict", "--model", "nobody", "a.wav"), "no model 'nobody'"),
        (("predict",), "No file was named"),
        (("predict", "--files-from", "no-such-list"), "no-such-list"),
        (("evaluate", "--corpus", "nowhere"), "no corpus or folder 'nowhere'"),
        (("evaluate", "--corpus", "fsdd"), "data download fsdd"),
        (("data", "download", "nothing"), "'nothing' cannot be downloaded"),
        (("data", "download", "fsdd", "--from", "no-such-file"), "no-such-file"),
        (("data", "import", "mine", "no-such-folder"), "no-such-folder"),
        (("data", "import", "../mine", "."), "../mine"),
        (("data", "remove", "embedded"), "embedded"),
        (("train", "--network", "rnn"), "'rnn'"),
        (("train", "--split", "alphabetical"), "'alphabetical'"),
        (("train", "--epochs", "0"), "epochs is 0"),
        (("train", "--corpus", "nowhere"), "'nowhere'"),
        (("train", "--corpus", "fsdd"), "data download fsdd"),
        (("train", "--run", "../../etc"), "../../etc"),
        (("train", "--resume", "no-such-run"), "no-such-run"),
        (("runs", "cancel", "no-such-run"), "no-such-run"),
        (("runs", "resume", "no-such-run"), "no-such-run"),
        (("runs", "delete", "no-such-run"), "no-such-run"),
        (("runs", "publish", "no-such-run", "mine"), "no-such-run"),
        (("recipe", "nobody"), "no recipe 'nobody'"),
        (("benchmark", "tables", "--out", "no-such-file"), "no-such-file"),
    ],
)
def test_bad_input_is_refused_in_one_line(capsys, words, expected):
    assert main(words) == BAD_INPUT
    captured = capsys.readouterr()
    assert not captured.out
    assert expected in one_line(captured.err)
    assert "Traceback" not in captured.err


def test_an_unwritable_home_is_named(capsys, monkeypatch, tmp_path, tiny_folder):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUDIOMNIST_HOME", str(tmp_path / "file"))
    assert main(["data", "import", "mine", str(tiny_folder)]) == BAD_INPUT
    assert str(tmp_path / "file") in one_line(capsys.readouterr().err)


# data


def test_a_corpus_is_imported_listed_and_removed(capsys, tiny_folder):
    assert main(["data", "import", "mine", str(tiny_folder)]) == 0
    assert "120 clips of 4 speakers" in capsys.readouterr().out
    assert main(["data", "list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    (mine,) = [line for line in listed if line.startswith("mine ")]
    assert "120 clips" in mine
    assert any("data download fsdd" in line for line in listed)
    assert main(["data", "remove", "mine"]) == 0
    assert "mine" not in available()


def test_a_corpus_that_cannot_be_loaded_hides_no_other(home, capsys):
    (home / "corpora" / "fsdd").mkdir(parents=True)
    assert main(["data", "list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    (broken,) = (line for line in listed if line.startswith("fsdd"))
    assert "has 0 clips here; expected 3,000. Remove it" in broken
    assert any(line.startswith("audiomnist") for line in listed)


def test_the_speech_embedding_is_taken_out_of_its_package(capsys, tmp_path):
    path = tmp_path / "new" / "weights.npz"
    assert main(["data", "embedding", "--out", str(path)]) == 0
    assert one_line(capsys.readouterr().out).startswith(f"{path}: 0.67 MB")
    assert path.read_bytes()[:2] == b"PK"


def test_files_that_were_left_out_are_named_with_the_reason(capsys, tmp_path, spoken):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("3_anna_0.wav", "4_anna_0.wav", "eleven_anna_0.wav"):
        (folder / name).write_bytes(encode_wav(spoken(3)))
    assert main(["data", "import", "mine", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "1 files left out" in shown
    assert "'eleven' is not a digit" in shown


def test_an_import_shows_how_names_were_read_and_what_else_they_may_mean(
    capsys, tmp_path, spoken
):
    files = {"7/anna_0.wav": 7, "7/ben_0.wav": 7, "8/7_anna_0.wav": 3}
    for name, digit in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(encode_wav(spoken(digit)))
    assert main(["data", "import", "mine", str(tmp_path), "--look"]) == 0
    shown = capsys.readouterr().out
    assert "2 of 3 recordings are read so" in shown
    assert "7/anna_0.wav: digit 7, speaker anna, take 0" in shown
    assert "{digit}/*: reads 3" in shown
    assert "contradiction" in shown
    assert "mine" not in available()
    words = ["data", "import", "mine", str(tmp_path), "--names", "{digit}/*"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "mine: 3 clips of unnamed speakers imported, 0 files" in shown
    assert "Beware: Nobody says 0, 1, 2, 3, 4, 5, 6 or 9" in shown
    assert "Beware: No clip names a speaker" in shown


@pytest.mark.parametrize(
    ("words", "planned"), [((), espeak.plan), (("--words",), espeak.plan_words)]
)
def test_what_is_asked_for_is_synthesized(
    capsys, monkeypatch, tmp_path, words, planned
):
    some = planned()[:2]
    monkeypatch.setattr(espeak, planned.__name__, lambda: some)
    path = tmp_path / "new" / "voices.zip"
    assert main(["data", "synthesize", *words, "--out", str(path)]) == 0
    assert one_line(capsys.readouterr().out) == f"{path}: 0.0 MB"
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == sorted(said.name for said in some)


def test_the_speech_embedding_learns_from_noise_where_that_is_asked_for(
    capsys, monkeypatch, tmp_path
):
    def denoise(
        published: tuple[Layer, ...], words: object, features: object, *, on_epoch
    ) -> tuple[Layer, ...]:
        on_epoch(embedding.DenoisingEpoch(1, 0.5, 0.25, 3.0))
        return published

    monkeypatch.setattr(embedding, "denoise", denoise)
    monkeypatch.setattr(embedding, "words_to_learn", lambda features: range(1500))
    path = tmp_path / "weights.npz"
    assert main(["data", "embedding", "--denoise", "--out", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1,500 words to learn from",
        "epoch  1 of 10  distance 0.500 before the last layer, 0.250 after it  3 s",
        f"{path}: 0.67 MB",
    ]


# Progress bars


def test_an_import_shows_a_bar_for_each_stage(capsys, on_terminal, tiny_folder):
    assert on_terminal(["data", "import", "mine", str(tiny_folder)]) == 0
    captured = capsys.readouterr()
    assert "Copying: 100%" in captured.err and "Checking: 100%" in captured.err
    assert "| 120/120 [" in captured.err
    assert one_line(captured.out).startswith("mine: 120 clips")


def test_an_evaluation_shows_a_bar(capsys, on_terminal, tiny_folder):
    words = ["evaluate", "--model", "ann", "--corpus", str(tiny_folder), "--json"]
    assert on_terminal(words) == 0
    captured = capsys.readouterr()
    assert "Evaluating: 100%" in captured.err
    assert json.loads(one_line(captured.out))["n"] == 120


def test_nobody_who_does_not_watch_is_shown_a_bar(capsys, tiny_folder):
    assert main(["data", "import", "mine", str(tiny_folder)]) == 0
    assert main(["evaluate", "--model", "ann", "--corpus", "mine"]) == 0
    assert capsys.readouterr().err == ""


def test_a_refusal_stands_in_the_line_after_the_bar(
    capsys, on_terminal, tmp_path, spoken
):
    (tmp_path / "3_anna_0.wav").write_bytes(b"RIFF, or so it says")
    assert on_terminal(["data", "import", "mine", str(tmp_path)]) == BAD_INPUT
    captured = capsys.readouterr()
    assert not captured.out
    *bars, said = captured.err.splitlines()
    assert said.startswith("audiomnist: ")
    assert any("Checking" in line or "Copying" in line for line in bars)


# predict


def test_each_file_gets_a_json_line(capsys, word, silence):
    assert main(["predict", "--json", str(word), str(silence)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["path"] for line in lines] == [str(word), str(silence)]
    assert all(set(line) == FIELDS for line in lines)
    assert all(line["error"] is None and line["latency_ms"] > 0 for line in lines)
    spoken, quiet = lines
    assert sum(spoken["probabilities"]) == pytest.approx(1, abs=1e-4)
    assert spoken["probability"] == max(spoken["probabilities"])
    assert spoken["digit"] in (
        spoken["probabilities"].index(spoken["probability"]),
        None,
    )
    assert (spoken["digit"] is None) == (spoken["reason"] != "")
    assert quiet["digit"] is quiet["probabilities"] is quiet["probability"] is None
    assert 0 < spoken["not_a_digit"] <= 10 * min(spoken["probabilities"]) + 1e-5
    assert quiet["not_a_digit"] is None
    assert quiet["reason"] == "no speech heard"


def test_a_file_that_cannot_be_read_does_not_stop_the_others(capsys, word, broken):
    files = [str(broken), str(word), "missing.wav", str(word.parent)]
    assert main(["predict", "--json", *files]) == BAD_INPUT
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert [line["path"] for line in lines] == files
    assert [bool(line["error"]) for line in lines] == [True, False, True, True]
    assert all(line["digit"] is None for line in lines if line["error"])
    assert "3 of 4 files" in one_line(captured.err)


def test_each_error_of_a_batch_names_its_file(capsys, tmp_path, word):
    slow, telephone = tmp_path / "slow.wav", tmp_path / "telephone.wav"
    soundfile.write(slow, np.zeros(3000), 3000)
    samples, sample_rate = soundfile.read(word)
    assert sample_rate == 8000
    soundfile.write(telephone, samples, 8000, subtype="GSM610")
    files = [str(slow), str(telephone), str(word)]
    assert main(["predict", *files]) == BAD_INPUT
    captured = capsys.readouterr()
    assert [line.split(": ")[0] for line in captured.out.splitlines()] == files[1:]
    assert f"audiomnist: {slow}: the sample rate is 3000 Hz" in captured.err


def test_as_text_each_file_gets_a_line_on_one_of_the_two_outputs(capsys, word, broken):
    assert main(["predict", str(word), str(broken)]) == BAD_INPUT
    captured = capsys.readouterr()
    assert one_line(captured.out).startswith(f"{word}: ")
    assert str(broken) in one_line(captured.err)


def test_files_are_also_taken_from_a_list(capsys, monkeypatch, tmp_path, word, silence):
    names = tmp_path / "names.txt"
    names.write_text(f"{word}\n\n{silence}\n")
    assert main(["predict", "--json", "--files-from", str(names)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["path"] for line in lines] == [str(word), str(silence)]
    with names.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["predict", "--json", "--files-from", "-", str(word)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["path"] for line in lines] == [str(word), str(word), str(silence)]


def test_the_model_that_is_named_hears(capsys, word):
    answers = {}
    for name in list_models():
        assert main(["predict", "--json", "--model", name, str(word)]) == 0
        answers[name] = json.loads(capsys.readouterr().out)["probabilities"]
    assert len({tuple(answer) for answer in answers.values()}) == len(answers) > 1
    assert main(["predict", "--json", str(word)]) == 0
    default = json.loads(capsys.readouterr().out)["probabilities"]
    assert default == answers[DEFAULT_MODEL]


def test_lines_come_as_the_files_are_predicted(word):
    process = start("predict", "--json", "--files-from", "-", stdin=subprocess.PIPE)
    assert process.stdin and process.stdout
    for _ in range(2):
        process.stdin.write(f"{word}\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["path"] == str(word)
    process.stdin.close()
    assert process.wait(30) == 0


def test_a_reader_that_leaves_early_is_no_error(word):
    process = start("predict", *[str(word)] * 3000)
    assert process.stdout and process.stderr
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == OUTPUT_CLOSED
    assert process.stderr.read() == ""


def test_ctrl_c_ends_without_a_traceback(word):
    process = start("predict", "--files-from", "-", stdin=subprocess.PIPE)
    assert process.stdin and process.stdout and process.stderr
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == INTERRUPTED
    assert "Traceback" not in process.stderr.read()


# models, evaluate


def test_models_are_listed(capsys):
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(list_models())
    assert all("parameters" in line for line in lines)
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(list_models())


def test_a_damaged_model_is_listed_with_its_fault(capsys, monkeypatch, tmp_path):
    import shutil

    shutil.copytree(find_model("ann").folder, tmp_path / "models" / "ann")
    (tmp_path / "models" / "ann" / "model.tflite").write_bytes(b"no model")
    monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "models"))
    assert main(["models"]) == 0
    assert "not a LiteRT model" in one_line(capsys.readouterr().out)


def test_an_evaluation_adds_up(capsys, tiny_folder):
    assert main(["evaluate", "--corpus", str(tiny_folder), "--json"]) == 0
    result = json.loads(one_line(capsys.readouterr().out))
    assert result["n"] == 120
    assert result["accuracy"] == result["n_correct"] / 120
    low, high = result["interval"]
    assert low <= result["accuracy"] <= high
    assert [sum(row) for row in result["confusion"]] == [12] * 10
    assert result["n_correct"] == sum(result["confusion"][i][i] for i in range(10))
    assert [row["n"] for row in result["per_speaker"]] == [30] * 4
    assert result["model"] == DEFAULT_MODEL


def test_an_evaluation_is_shown_as_tables(capsys, tiny_folder):
    assert main(["evaluate", "--corpus", str(tiny_folder), "--model", "ann"]) == 0
    shown = capsys.readouterr().out
    assert "Accuracy" in shown and "n = 120" in shown
    assert "voice3" in shown


@pytest.fixture
def with_split(tmp_path, monkeypatch):
    """Give the model "mine" a split of its own, of corpora by their names."""

    def give(rule: str, *names: str, held_out: str = "") -> RunConfig:
        folder = tmp_path / "models" / "mine"
        shutil.copytree(find_model("ann").folder, folder)
        monkeypatch.setenv("AUDIOMNIST_MODELS", str(tmp_path / "models"))
        made = read_record(folder)
        config = replace(made.config, corpora=names, split_rule=rule, held_out=held_out)
        digests = {
            name: load_corpus(name).digest for name in names if name in available()
        }
        write_record(folder, replace(made, config=config, corpora=digests))
        return config

    return give


@pytest.mark.parametrize(
    ("rule", "held_out"),
    [("speaker", ""), ("random", ""), ("leave_one_out", "voice2"), ("corpus", "tiny")],
)
def test_the_test_part_is_that_of_the_models_own_split(
    capsys, tiny_folder, with_split, rule, held_out
):
    import_corpus("tiny", tiny_folder)
    config = with_split(rule, "embedded", "tiny", held_out=held_out)
    test = config.split([load_corpus(name) for name in config.corpora]).test
    expected = [clip for clip in test if clip.corpus == "tiny"]
    words = ["evaluate", "--model", "mine", "--corpus", "tiny", "--part", "test"]
    assert main([*words, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["n"] == len(expected) > 0
    speakers = {clip.speaker for clip in expected}
    assert {row["speaker"] for row in result["per_speaker"]} == speakers


def test_a_test_part_is_found_where_the_other_corpora_are_not(
    capsys, tiny_folder, with_split
):
    import_corpus("tiny", tiny_folder)
    with_split("random", "tiny", "far-away")
    words = ["evaluate", "--model", "mine", "--corpus", "tiny", "--part", "test"]
    assert main(words) == 0
    assert "n = 20" in capsys.readouterr().out


def test_a_corpus_that_only_trained_has_no_test_part(capsys, tiny_folder, with_split):
    import_corpus("tiny", tiny_folder)
    with_split("leave_one_out", "tiny", "far-away", held_out="nobody-here")
    words = ["evaluate", "--model", "mine", "--corpus", "tiny", "--part", "test"]
    assert main(words) == BAD_INPUT
    said = one_line(capsys.readouterr().err)
    assert "kept no clip of tiny" in said and "--part all" in said


def test_an_accuracy_on_what_was_trained_on_is_said_to_flatter(
    capsys, tiny_folder, with_split
):
    import_corpus("tiny", tiny_folder)
    with_split("random", "tiny")
    for part, flatters in (("all", True), ("test", False)):
        words = ["evaluate", "--model", "mine", "--corpus", "tiny", "--part", part]
        assert main(words) == 0
        assert ("the accuracy flatters" in capsys.readouterr().err) is flatters


def test_a_corpus_that_did_not_train_the_model_has_no_test_part(capsys, tiny_folder):
    words = ["evaluate", "--corpus", str(tiny_folder), "--part", "test"]
    assert main(words) == BAD_INPUT
    assert "--part all" in one_line(capsys.readouterr().err)


# train, runs


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


# benchmark


@pytest.fixture
def measurements(monkeypatch) -> list[tuple[str, bool, bool]]:
    """Benchmarks that only note their name, --quick and --saved."""
    noted: list[tuple[str, bool, bool]] = []

    def benchmarks(*, saved: bool = False) -> dict[str, Benchmark]:
        def measure(name: str, quick: bool) -> dict[str, str]:
            noted.append((name, quick, saved))
            return {"value": name}

        return {
            name: Benchmark(
                f"measures {name}",
                partial(measure, name),
                lambda entry: f"| {entry['value']} |",
            )
            for name in NAMES
        }

    monkeypatch.setattr("audiomnist.commands.measuring.benchmarks", benchmarks)
    return noted


@pytest.mark.parametrize(
    ("words", "is_quick", "is_saved"),
    [((), False, False), (("--quick",), True, False), (("--saved",), False, True)],
)
def test_a_benchmark_is_measured_as_asked(
    capsys, home, measurements, words, is_quick, is_saved
):
    assert main(["benchmark", "latency", *words]) == 0
    assert measurements == [("latency", is_quick, is_saved)]
    captured = capsys.readouterr()
    path = home / "benchmarks.json"
    assert captured.out.startswith("| latency |\n")
    assert captured.out.endswith(f"Written to {path}.\n")
    assert one_line(captured.err) == "latency: measures latency ..."
    assert json.loads(path.read_text())["latency"]["value"] == "latency"


def test_all_benchmarks_are_measured_into_the_file_that_is_named(
    home, measurements, tmp_path
):
    path = tmp_path / "results.json"
    assert main(["benchmark", "all", "--out", str(path)]) == 0
    assert [name for name, _, _ in measurements] == list(NAMES)
    assert set(json.loads(path.read_text())) == set(NAMES)
    assert not (home / "benchmarks.json").exists()


def test_tables_are_rewritten_from_the_file_that_is_named(
    capsys, monkeypatch, measurements, tmp_path
):
    path = tmp_path / "results.json"
    assert main(["benchmark", "features", "--out", str(path)]) == 0
    page = tmp_path / "README.md"
    page.write_text("<!-- benchmark: features -->\nold\n<!-- end -->\n")
    monkeypatch.setattr("audiomnist.benchmark.report.pages", lambda: [page])
    capsys.readouterr()
    assert main(["benchmark", "tables", "--out", str(path)]) == 0
    said = one_line(capsys.readouterr().out)
    assert said == f"README.md shows what {path} holds."
    assert "| features |" in page.read_text()
    assert "old" not in page.read_text()
