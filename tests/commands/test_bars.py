"""Progress bars: on stderr, and only where somebody watches."""

import json

from commandline import one_line

from audiomnist.__main__ import BAD_INPUT, main


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
