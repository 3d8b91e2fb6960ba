"""Files that are no recordings: none is left out of an import without a word."""

import io
import zipfile
from pathlib import Path

import pytest

from audiomnist.__main__ import main
from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.formats import FORMAT_NAMES
from audiomnist.corpora.library import import_corpus
from audiomnist.errors import CorpusError

FILES = ("note.txt", "a/deep.TXT", "README", "x.gsm", ".DS_Store", "__MACOSX/._7.wav")


@pytest.fixture(params=["folder", "archive"])
def source(request, tmp_path: Path, spoken):
    """A recording under three endings, and files beside it, in either form."""
    sound = encode_wav(spoken(7))
    endings = ("wav", "WAVE", "m4a")  # contents tell the format, not endings
    contents = {f"7_anna_{n}.{ending}": sound for n, ending in enumerate(endings)}
    contents |= dict.fromkeys(FILES, b"x")
    if request.param == "archive":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in contents.items():
                archive.writestr(name, data)
        return file
    folder = tmp_path / "in"
    for name, data in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_an_import_counts_files_of_other_endings(source: Path | io.BytesIO) -> None:
    report = import_corpus("mine", source)
    assert len(report.corpus.clips) == 3
    assert report.skipped == ()
    assert report.n_left_out == 6
    assert [left_out.name for left_out in report.left_out] == [
        "2 files that end in .txt",
        "2 hidden files",
        "1 file without an ending",
        "1 file that ends in .gsm",
    ]


def test_the_command_line_says_what_was_left_out(
    source: Path | io.BytesIO, tmp_path: Path, capsys
) -> None:
    if isinstance(source, io.BytesIO):
        path = tmp_path / "in.zip"
        path.write_bytes(source.getvalue())
        source = path
    assert main(["data", "import", "mine", str(source)]) == 0
    said = capsys.readouterr().out
    assert "3 clips of 1 speaker imported, 6 files left out" in said
    assert "1 file that ends in .gsm: not the ending of a format" in said
    assert f"Formats that are read: {FORMAT_NAMES}." in said


def test_an_import_of_nothing_else_says_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "7_anna_0.gsm").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"Others: 1 file that ends in \.gsm\. Call"):
        import_corpus("mine", tmp_path)
