"""The dataset page: browsing, importing, downloading and removing recordings."""

import io
import zipfile

import pytest
from visitor import errors, open_page, press, text, widget

from audiomnist.audio.encoding import encode_wav
from audiomnist.audio.formats import FORMAT_NAMES
from audiomnist.corpora import library
from audiomnist.corpora.catalogue import CORPORA
from audiomnist.errors import AudioError
from audiomnist.ui.dataset import acquire


def archive(files: dict[str, bytes]) -> bytes:
    """A zip archive of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return content.getvalue()


def test_dataset_shows_figures_table_and_the_chosen_clip():
    page = open_page("dataset")
    assert "Clips: 5,000" in text(page)
    assert "Digits: 0 to 9" in text(page)
    assert "Synthetic voices" in text(page) or "synthetic voice" in text(page)
    assert "**Licence:** CC0" in text(page)
    first = page.dataframe[0].value
    assert len(first) == 5000, "sorting goes over all of them"
    assert len(page.get("audio")) == 1
    assert "A **0** by" in text(page)


def test_dataset_searches_all_clips():
    page = open_page("dataset")
    widget(page, "text_input", "Search").set_value("9_ADAM").run()
    found = page.dataframe[0].value
    assert len(found) == 7
    assert set(found["Digit"]) == {9} and set(found["Speaker"]) == {"adam"}
    widget(page, "text_input", "Search").set_value("nobody").run()
    assert "No clip matches" in text(page)


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
    files |= {"11_anna_0.wav": b"", "3_anna_1.wav": b"no sound", "note.txt": b"Anna"}
    page = open_page("dataset")
    assert FORMAT_NAMES in text(page)
    widget(page, "text_input", "Name of the corpus").set_value("anna")
    uploader = widget(page, "file_uploader", "Archive of recordings")
    uploader.set_value(("anna.zip", archive(files), "application/zip"))
    press(page, "Import")
    assert "10 clips by 1 speaker are now available as" in page.success[0].value
    assert widget(page, "selectbox", "Corpus").value == "anna"
    skipped = next(t.value for t in page.dataframe if "Why" in t.value)
    left_out = {"11_anna_0.wav", "3_anna_1.wav", "1 file that ends in .txt"}
    assert set(skipped["File"]) == left_out
    assert page.expander[-1].label == "3 files were left out"
    page.run()
    assert not page.success, "said once"


def upload(page, files: dict[str, bytes]):
    """Choose an archive of these files, and a name for the corpus."""
    widget(page, "text_input", "Name of the corpus").set_value("anna")
    uploader = widget(page, "file_uploader", "Archive of recordings")
    return uploader.set_value(("anna.zip", archive(files), "application/zip")).run()


def test_dataset_shows_how_names_are_read_before_anything_is_imported(home, spoken):
    sound = encode_wav(spoken(7))
    names = ("7/anna_0.wav", "8/José_0.wav", "8/7_anna_1.wav", "0_1_6_4_7.wav")
    page = upload(open_page("dataset"), dict.fromkeys(names, sound))
    first, left_out = (t.value for t in page.dataframe[-2:])
    assert first.to_numpy().tolist() == [
        ["7/anna_0.wav", 7, "anna", 0],
        ["8/José_0.wav", 8, "José", 0],
    ]
    assert dict(left_out.to_numpy())["8/7_anna_1.wav"].startswith("a contradiction")
    assert "names 5 digits" in dict(left_out.to_numpy())["0_1_6_4_7.wav"]
    assert "**2 of 4 recordings** would be imported" in text(page)
    assert library.available() == ("embedded",)
    meaning = widget(page, "selectbox", "What the names mean")
    assert meaning.options[0] == "Each by its layout (2 recordings)"
    assert "{digit}/* (3 recordings)" in meaning.options
    meaning.set_value("{digit}/*").run()
    assert "**3 of 4 recordings** would be imported" in text(page)
    press(page, "Import")
    assert "3 clips by unnamed speakers are now available" in page.success[0].value
    assert "Speakers: not named" in text(page)
    (said,) = (box.value for box in page.warning)
    assert "Nobody says 0\\, 1" in said and "No clip names a speaker" in said
    assert "are copies of another" in said


def test_dataset_imports_by_a_table(home, spoken):
    files = {"x/a.wav": encode_wav(spoken(7)), "x/b.wav": encode_wav(spoken(8))}
    table = b"file,word,who\na.wav,seven,Ann\nb.wav,eight,Ben\n"
    page = upload(open_page("dataset"), files | {"x/labels.csv": table})
    meaning = widget(page, "selectbox", "What the names mean")
    assert meaning.options[0] == "By the table (2 recordings)"
    press(page, "Import")
    assert "2 clips by 2 speakers are now available" in page.success[0].value


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
    known = {name: CORPORA[name] for name in ("embedded", "fsdd")}
    monkeypatch.setattr(acquire, "CORPORA", known)
    monkeypatch.setenv("AUDIOMNIST_FSDD_SOURCE", str(fsdd_archive))
    page = press(open_page("dataset"), "Download (16 MB)")
    assert "Every corpus that can be downloaded is on this machine" in text(page)


def test_dataset_offers_every_corpus_that_can_be_downloaded():
    page = open_page("dataset")
    buttons = [b.label for b in page.get("button") if b.label.startswith("Download")]
    assert buttons == ["Download (16 MB)", "Download (1.0 GB)", "Download (2.4 GB)"]
    for known in CORPORA.values():
        if known.name != "embedded":
            assert f"**{known.title}**" in text(page)


def test_dataset_removes_an_imported_corpus(tiny):
    page = open_page("dataset")
    widget(page, "selectbox", "Corpus").set_value("tiny").run()
    assert widget(page, "button", "Remove it").disabled
    assert library.available() == ("embedded", "tiny")
    widget(page, "checkbox", "Yes, for everybody").check().run()
    press(page, "Remove it")
    assert library.available() == ("embedded",)
    assert "Clips: 5,000" in text(page)


def test_dataset_lets_a_broken_corpus_be_removed(home):
    (home / "corpora" / "fsdd").mkdir(parents=True)
    page = open_page("dataset")
    widget(page, "selectbox", "Corpus").set_value("fsdd").run()
    assert "has 0 clips here" in errors(page)[0]
    widget(page, "checkbox", "Yes, for everybody").check().run()
    press(page, "Remove it")
    assert not page.error
    assert library.available() == ("embedded",)


def test_errors_of_the_package_do_not_end_a_page(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AudioError("This sound is broken. Record it again.")

    monkeypatch.setattr("audiomnist.ui.listen.play", refuse)
    page = open_page("dataset")
    assert errors(page)[0] == "This sound is broken. Record it again."
    assert "Every clip" not in text(page)
    assert "Download" in text(page)
