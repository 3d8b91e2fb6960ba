"""models, evaluate and predict: a line a file, and tables that add up."""

import json
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commandline import one_line, start

from audiomnist.__main__ import BAD_INPUT, INTERRUPTED, OUTPUT_CLOSED, main
from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.signal import Audio
from audiomnist.corpora.library import available, import_corpus, load_corpus
from audiomnist.recognition.models import DEFAULT_MODEL, find_model, list_models
from audiomnist.runs.config import RunConfig
from audiomnist.runs.record import read_record, write_record

FIELDS = {
    *("path", "digit", "probability", "probabilities", "latency_ms", "reason"),
    *("error", "not_a_digit"),
}


@pytest.fixture
def silence(tmp_path: Path) -> Path:
    """A recording with nothing in it."""
    path = tmp_path / "silence.wav"
    path.write_bytes(encode_wav(Audio(np.zeros(8000, np.float32), 8000)))
    return path


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
