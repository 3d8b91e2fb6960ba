"""The words for synthetic voices to say."""

import pytest

from audiomnist.corpora.clips import parse_name
from audiomnist.digits import DIGIT_WORDS
from audiomnist.errors import CorpusError
from audiomnist.recipes.words import WORDS


def test_no_word_is_a_digit_or_sounds_like_one():
    assert not {*WORDS} & {*DIGIT_WORDS, "to", "too", "for", "won", "ate", "nein"}
    for word in WORDS:
        with pytest.raises(CorpusError, match="is not a digit"):
            parse_name(f"{word}_voice_0.wav")
