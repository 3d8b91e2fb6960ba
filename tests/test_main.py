"""The command line: what is printed, where, and with which exit status."""

import subprocess
import sys

import pytest
from commandline import one_line

from audiomnist.__main__ import BAD_INPUT, main
from audiomnist.commands.measuring import NAMES
from audiomnist.corpora.split_rules import RULES
from audiomnist.networks.architectures import ARCHITECTURES
from audiomnist.settings import REPOSITORY

COMMANDS = (
    *("data", "train", "recipe", "runs", "models", "evaluate", "predict"),
    "benchmark",
)


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
