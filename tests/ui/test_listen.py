"""Pictures of a visitor's own sound."""

import pytest
from streamlit.errors import StreamlitAPIException

from audiomnist.ui import listen


def test_a_visitors_own_sound_is_drawn_for_the_visit_alone(spoken):
    audio = spoken(3)
    assert listen.wave(audio, None, is_public=True).png
    # Without a visitor there is nobody for whom it could be kept.
    with pytest.raises(StreamlitAPIException, match="session"):
        listen.wave(audio, None)


@pytest.mark.parametrize(("digit", "begin"), [(7, "A **7** by"), (8, "An **8** by")])
def test_a_clip_is_told_in_a_sentence(tiny_corpus, digit, begin):
    clip = next(clip for clip in tiny_corpus.clips if clip.digit == digit)
    said = listen.describe(clip, tiny_corpus)
    assert said == f"{begin} speaker **voice0**, take 0"
