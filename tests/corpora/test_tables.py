"""A table of path, digit and speaker tells what recordings are."""

import pytest

from audiomnist.corpora.naming import ClipName
from audiomnist.corpora.tables import read_tables, write_table
from audiomnist.errors import CorpusError

NAMES = ("a/x.wav", "a/y.wav", "z.wav")


def read(text: str | bytes, place: str = "labels.csv") -> dict[str, object]:
    data = text if isinstance(text, bytes) else text.encode()
    readings = read_tables(NAMES, {place: data})
    assert readings is not None
    return {each.name: each.meaning or each.reason for each in readings}


@pytest.mark.parametrize(
    "text",
    [
        "path,digit,speaker,take\na/x.wav,7,ann,3\n",
        "\ufeffFile Name;Label;Speaker ID;Trial\r\na/x.wav;seven;ann;3\r\n",
        "speaker\ttake\tclass\taudio\nann\t3\t07\t./a/x.wav\n",
        "a/x.wav,7,ann,3\n",
        "wav,word,who,take\nC:\\\\data\\\\x.wav,Seven, ann ,3\n",
        "path,digit,speaker,take\nx,7,ann,3\n",
        "path,digit,speaker,take\na/x.wav,7,ann,3\n".encode("utf-16"),
    ],
)
def test_tables_of_many_kinds_are_read(text):
    found = read(text)
    assert found["a/x.wav"] == (7, "ann", 3)
    assert found["z.wav"] == "labels.csv does not list it."


def test_paths_are_relative_to_the_table():
    found = read("path,digit\nx.wav,7\n", "a/labels.tsv")
    assert found["a/x.wav"] == (7, "unknown", 0)


def test_what_a_table_leaves_open_is_left_out():
    found = read("path,digit\na/x.wav,7\na/x.wav,8\na/y.wav,ten\n../secret.wav,1\n")
    assert "lists it twice, with different meanings" in str(found["a/x.wav"])
    assert "says 'ten', which is not a digit" in str(found["a/y.wav"])
    assert "it is not there" in str(found["../secret.wav"])


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "time,loss\n", "path\nx.wav\n"])
def test_another_table_is_not_heeded(text):
    assert read_tables(NAMES, {"log.csv": text.encode()}) is None


def test_a_table_that_cannot_be_read_is_explained():
    with pytest.raises(CorpusError, match=r"x\.csv is no table that can be read"):
        read_tables(NAMES, {"x.csv": b'path,digit\n"' + b"x" * 200_000})
    with pytest.raises(CorpusError, match=r"x\.csv has 20 MB"):
        read_tables(NAMES, {"x.csv": b"x" * 20_000_001})


def test_a_written_table_is_read_again():
    rows = [("a/x.wav", ClipName(7, 'an,"n', 3)), ("z.wav", ClipName(1, "=b", 0))]
    found = read(write_table(rows))
    assert [(name, found[name]) for name, _ in rows] == rows
