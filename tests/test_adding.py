"""What a contributor adds takes one module, and everything knows it.

The modules are written here as a contributor would write them; that they are entered
in the tables `KINDS`, `ARCHITECTURES`, `RULES` and `CORPORA` is the one line besides.
"""

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from conftest import packed, speak
from visitor import open_page, text, widget

from audiomnist.__main__ import main
from audiomnist.audio.encoding import encode_wav
from audiomnist.configs import config_from_dict, config_to_dict
from audiomnist.corpora.catalogue import CORPORA, KnownCorpus
from audiomnist.corpora.library import load_corpus
from audiomnist.corpora.split_rules import RULES
from audiomnist.features.config import KINDS, FeatureConfig
from audiomnist.features.extraction import extract
from audiomnist.networks.architectures import ARCHITECTURES
from audiomnist.plots.sound import plot_features
from audiomnist.plots.style import Style
from audiomnist.recipes.model_card import model_card
from audiomnist.recognition.models import find_model
from audiomnist.recognition.recognizer import Recognizer
from audiomnist.runs.clips import resolve_clips
from audiomnist.runs.config import RunConfig
from audiomnist.runs.folder import list_runs
from audiomnist.runs.presets import preset

FEATURE = '''
"""Contrast: how far each mel band stands above the one below it."""

import numpy as np

from audiomnist.features.kind import FeatureKind

CONTRAST = FeatureKind(
    name="contrast",
    title="Contrast",
    sentence="How far each mel band stands above the one below it.",
    bins="differences of mel bands",
    axis="pair of bands",
    quantity="difference",
    unit="log",
    n_bins=lambda config: config.n_mels - 1,
    transform=lambda levels, config: np.diff(levels, axis=-1),
    describe=lambda config: f"{config.n_mels - 1} differences of neighbouring bands.",
)
'''

NETWORK = '''
"""One dense layer."""

from dataclasses import dataclass, field

from audiomnist.networks.architecture import Architecture, InputNeeds, Member
from audiomnist.networks.config import NetworkConfig, check_dropout


@dataclass(frozen=True)
class LineConfig(NetworkConfig):
    """Settings of the line."""

    kind: str = field(default="line", init=False)
    dropout: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        check_dropout("dropout", self.dropout)


def members(features, config):
    """The features themselves."""
    from keras import layers

    return [Member(layers.Flatten()(features), dropout=config.dropout)]


LINE = Architecture(
    config=LineConfig,
    title="Line",
    gist="one layer",
    sentence="One dense layer between the image and the answer.",
    members=members,
    needs=InputNeeds(kind="contrast", min_bins=4),
    features={"kind": "contrast", "n_mels": 16, "n_mfcc": 16, "n_frames": 12},
    training={"epochs": 2, "batch_size": 16, "others_part": 0.0},
    view_shift=1,
)
'''


RULE = '''
"""The last take of each speaker and digit tests."""

from audiomnist.corpora.split_rules import WithinCorpus


class LastTake(WithinCorpus):
    """The last take tests."""

    name = "last_take"
    title = "The last take"
    explanation = "The last take of each speaker tests; the speakers train, too."

    def is_tested(self, corpus, held_out=""):
        return True

    def _tested(self, corpus, held_out, fraction, rng):
        last = max(clip.take for clip in corpus.clips)
        return [clip for clip in corpus.clips if clip.take == last]
'''


def load(folder: Path, name: str, code: str) -> ModuleType:
    """Write a module and import it."""
    path = folder / f"{name}.py"
    path.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def contrast(tmp_path, monkeypatch):
    """A new kind of feature."""
    kind = load(tmp_path, "added_contrast", FEATURE).CONTRAST
    monkeypatch.setitem(KINDS, kind.name, kind)
    yield kind
    del sys.modules["added_contrast"]


@pytest.fixture
def line(contrast, tmp_path, monkeypatch):
    """A new network, which takes the new feature."""
    architecture = load(tmp_path, "added_line", NETWORK).LINE
    monkeypatch.setitem(ARCHITECTURES, architecture.name, architecture)
    yield architecture
    del sys.modules["added_line"]


@pytest.mark.parametrize("fit", ["pad", "stretch", "window"])
def test_a_feature_that_was_added_is_computed_and_drawn(contrast, fit):
    config = FeatureConfig(kind="contrast", fit=fit)
    assert config_from_dict(FeatureConfig, config_to_dict(config)) == config
    (values,) = extract([speak(3)], config)
    (bands,) = extract([speak(3)], FeatureConfig(fit=fit))
    assert values.shape == config.shape == (39, 40)
    np.testing.assert_allclose(values, np.diff(bands, axis=0), atol=1e-5)
    figure = plot_features(values, config, style=Style(), step=0.01)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["pair of bands", "difference (deviations)"]


def test_a_network_that_was_added_has_a_preset_that_survives_json(line):
    config = preset("line")
    assert (config.network.dropout, config.training.epochs) == (0.1, 2)
    assert (config.features.kind, config.features.shape) == ("contrast", (15, 12))
    text = json.dumps(config_to_dict(config))
    assert config_from_dict(RunConfig, json.loads(text)) == config


@pytest.mark.slow
def test_a_network_that_was_added_is_trained_and_answers(line, tiny, tmp_path, capsys):
    assert main(["train", "--network", "line", "--corpus", tiny]) == 0
    assert "epoch 2 of 2" in capsys.readouterr().out
    (run,) = list_runs()
    model = find_model(run.id)
    assert (run.state, model.network.view_shift) == ("finished", 1)
    recording = tmp_path / "five.wav"
    recording.write_bytes(encode_wav(speak(5)))
    assert main(["predict", "--model", run.id, "--json", str(recording)]) == 0
    answer = json.loads(capsys.readouterr().out)
    expected = Recognizer(model).predict_bytes(recording.read_bytes()).probabilities
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    card = model_card("mine", model, run.record, resolve_clips(run.config))
    assert "Line, trained to" in card
    assert "15 differences of mel bands in 12 frames" in card


def test_command_line_and_page_offer_a_network_that_was_added(line, capsys):
    assert main(["train", "--help"]) == 0
    assert ", line (if not given: cnn)" in " ".join(capsys.readouterr().out.split())
    page = open_page("train")
    networks = widget(page, "button_group", "Network")
    assert "Line" in networks.options
    networks.set_value("line").run()
    assert not page.exception
    assert line.sentence in text(page)
    assert widget(page, "slider", "Epochs").value == 2


@pytest.fixture
def last_take(tmp_path, monkeypatch):
    """A new rule for splitting."""
    rule = load(tmp_path, "added_rule", RULE).LastTake()
    monkeypatch.setitem(RULES, rule.name, rule)
    yield rule
    del sys.modules["added_rule"]


def test_a_split_rule_that_was_added_splits_and_is_offered(last_take, tiny, capsys):
    config = RunConfig(corpora=(tiny,), split_rule="last_take")
    assert config_from_dict(RunConfig, config_to_dict(config)) == config
    split = resolve_clips(config).split
    assert {clip.take for clip in split.test} == {2}
    assert {clip.take for clip in split.train} == {0, 1}
    assert main(["train", "--help"]) == 0
    assert "last_take: The last take of each" in " ".join(
        capsys.readouterr().out.split()
    )
    page = open_page("train")
    rules = widget(page, "selectbox", "Split into training and test")
    assert "The last take" in rules.options
    rules.set_value("last_take").run()
    assert not page.exception
    assert last_take.explanation in text(page)


def test_a_corpus_that_was_added_is_downloaded_and_shown(
    tiny_folder, tmp_path, monkeypatch, capsys
):
    wavs = {path.name: path.read_bytes() for path in sorted(tiny_folder.iterdir())}
    archive = tmp_path / "mine.tar.gz"
    archive.write_bytes(packed({f"mine/takes/{name}": wavs[name] for name in wavs}))
    known = KnownCorpus(
        name="my-digits",
        title="My Digits",
        description="Made for a test.",
        n_clips=len(wavs),
        source="https://example.org/my-digits",
        licence="CC0 1.0",
        citation="A test.",
        is_synthetic=True,
        url=archive.as_uri(),
        folders=("takes",),
        sha256=hashlib.sha256(b"".join(wavs.values())).hexdigest(),
    )
    monkeypatch.setitem(CORPORA, known.name, known)
    assert "**My Digits**" in text(open_page("dataset"))
    assert main(["data", "download", "my-digits", "--from", str(archive)]) == 0
    assert f"{len(wavs)} clips" in capsys.readouterr().out
    assert len(load_corpus("my-digits").clips) == len(wavs)
    page = open_page("dataset")
    corpora = widget(page, "selectbox", "Corpus")
    assert "My Digits (synthetic voices)" in corpora.options
