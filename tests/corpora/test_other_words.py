"""Other words: listed and split by speaker."""

import pytest

from audiomnist.audio.encoding import encode_wav
from audiomnist.corpora.clips import OTHER_WORD, load_audio
from audiomnist.corpora.other_words import load_other_words, split_other_words
from audiomnist.errors import CorpusError


@pytest.fixture
def words(tmp_path, spoken):
    for number, name in enumerate(("bed_anna_0", "cat_bert_1", "dog_carl_o_2", "x")):
        path = tmp_path / "words" / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encode_wav(spoken(number)))
    return tmp_path / "words"


def test_the_embedded_words_can_be_decoded():
    clips = load_other_words("embedded")
    assert len(clips) > 600
    assert all(clip.digit == OTHER_WORD for clip in clips)
    assert len({clip.speaker for clip in clips}) > 50
    assert load_audio(clips[0]).duration > 0.1


def test_a_folder_of_recordings_is_taken_as_it_is(words):
    clips = load_other_words(str(words))
    assert sorted(clip.speaker for clip in clips) == [
        "anna",
        "bert",
        "carl_o",
        "unknown",
    ]
    assert len({clip.take for clip in clips}) == len(clips)


def test_the_speakers_of_speech_commands_are_known_by_its_file_names(tmp_path):
    for name in ("bed/0a7c2a8d_nohash_3.wav", "tree/0a7c2a8d_nohash_0.wav"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes(b"")
    assert [clip.speaker for clip in load_other_words(str(tmp_path))] == 2 * [
        "0a7c2a8d"
    ]


def test_nothing_to_load_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="no other words"):
        load_other_words(str(tmp_path / "nowhere"))
    with pytest.raises(CorpusError, match="holds no recordings"):
        load_other_words(str(tmp_path))


def test_no_speaker_is_in_two_parts():
    clips = load_other_words("embedded")
    testing = {clips[0].speaker, clips[-1].speaker}
    for speakers in ((), testing):
        parts = split_other_words(clips, speakers, seed=3)
        who = {part: {clip.speaker for clip in parts[part]} for part in parts}
        assert sum(map(len, parts.values())) == len(clips)
        assert not who["train"] & who["test"]
        assert not who["train"] & who["validation"]
        assert not who["validation"] & who["test"]
        assert all(who.values())
    assert who["test"] == testing
    assert split_other_words(clips, (), 1) != split_other_words(clips, (), 2)
