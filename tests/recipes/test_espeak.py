"""The embedded corpus can be made again, with the same samples."""

import sys
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from audiomnist.audio.decoding import decode
from audiomnist.corpora.clips import parse_name
from audiomnist.corpora.library import EMBEDDED_ARCHIVE
from audiomnist.errors import CorpusError
from audiomnist.recipes.espeak import (
    SAMPLE_RATE,
    make_embedded,
    plan,
    synthesize,
    voices,
)
from audiomnist.storage import Progress


def decoded(archive: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(archive) as members:
        return {n: decode(members.read(n), n).samples for n in members.namelist()}


def test_the_plan_is_balanced_and_repeats() -> None:
    everything = plan()
    assert everything == plan()
    assert Counter(said.label for said in everything) == dict.fromkeys(
        "0123456789", 500
    )
    per_voice = Counter((said.label, said.voice) for said in everything)
    assert len(per_voice) == 10 * len(voices())
    assert set(per_voice.values()) == {500 // len(voices()), 500 // len(voices()) + 1}
    assert len({said.name for said in everything}) == 5000
    for said in everything[::41]:
        name = parse_name(said.name)
        assert (name.digit, name.take) == (int(said.label), said.take)


def test_takes_of_one_voice_differ_in_how_they_are_said() -> None:
    takes = defaultdict(list)
    for said in plan():
        takes[said.label, said.voice].append(said)
    for same in takes.values():
        assert len({said.accent for said in same}) == len(same)
        assert len({said.words_per_minute for said in same}) > 1
        assert len({said.pitch for said in same}) > 1
    rates = [said.words_per_minute for said in plan()]
    assert min(rates) >= 115 and max(rates) <= 210 and np.std(rates) > 20


def test_a_smaller_plan_is_the_beginning_of_the_larger_one() -> None:
    assert set(plan(10)) < set(plan())


@pytest.mark.slow
def test_the_same_samples_come_again(tmp_path: Path) -> None:
    some = [said for said in plan() if said.voice in ("f2", "klatt")]
    some = [said for said in some if said.label in "38"]
    steps: list[Progress] = []
    first = decoded(make_embedded(tmp_path / "1.zip", steps.append, utterances=some))
    again = decoded(make_embedded(tmp_path / "2.zip", utterances=some[::-1]))
    assert first.keys() == again.keys() == {said.name for said in some}
    for said in some:
        samples = first[said.name]
        np.testing.assert_array_equal(samples, again[said.name])
        assert 0.2 < len(samples) / SAMPLE_RATE < 1.5
        peak_dbfs = 20 * np.log10(np.abs(samples).max())
        assert abs(peak_dbfs - said.peak_dbfs) < 3  # Opus changes waves a little
    assert steps[-1] == Progress("synthesizing", len(some), len(some))


@pytest.mark.slow
def test_the_archive_holds_what_the_plan_says(tmp_path: Path) -> None:
    voice = [said for said in plan() if said.voice == "f2"]
    made = decoded(make_embedded(tmp_path / "f2.zip", utterances=voice))
    with zipfile.ZipFile(EMBEDDED_ARCHIVE) as archive:
        assert set(archive.namelist()) == {said.name for said in plan()}
        for name, samples in made.items():
            embedded = decode(archive.read(name), name).samples
            # Another processor's rounding may change what Opus chooses a little.
            assert len(samples) == len(embedded)
            difference = np.square(samples - embedded).mean()
            assert difference < 0.01 * np.square(embedded).mean()


def test_a_missing_library_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    for call in (voices, plan, lambda: synthesize([])):
        with pytest.raises(
            CorpusError, match=r"needs the package espeakng-loader.*pip"
        ):
            call()
    with pytest.raises(CorpusError, match="needs the package espeakng-loader"):
        make_embedded(Path("never.zip"))


def test_an_unknown_accent_is_explained() -> None:
    from dataclasses import replace

    with pytest.raises(CorpusError, match="has no voice 'xx-none\\+f2'"):
        synthesize([replace(plan(1)[0], accent="xx-none", voice="f2")])
