"""data: corpora are listed, imported, removed and made again."""

import zipfile

import pytest
from commandline import one_line

from audiomnist.__main__ import main
from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora.library import available
from audiomnist.networks.speech_embedding import Layer
from audiomnist.recipes import embedding, espeak


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
