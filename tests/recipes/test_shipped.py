"""The models that come with the app: whatever is written of them is in their files.

Figures are counted here from the plain JSON, past the code that wrote the texts.
"""

import json
import re
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from audiomnist.benchmark import report
from audiomnist.configs import config_from_dict
from audiomnist.corpora.catalogue import CORPORA
from audiomnist.evaluation.files import FILE_NAME, load_evaluation
from audiomnist.evaluation.significance import Rate
from audiomnist.networks.architectures import find_architecture
from audiomnist.recipes.model_card import compare_16_bits
from audiomnist.recipes.models import find_recipe
from audiomnist.recipes.publishing import CARD
from audiomnist.recognition.models import DEFAULT_MODEL, find_model, list_models
from audiomnist.recognition.record import RECORD
from audiomnist.runs.config import RunConfig
from audiomnist.settings import REPOSITORY

SHIPPED = sorted(path.parent.name for path in REPOSITORY.glob("models/*/run.json"))


def read(name: str, file: str) -> dict[str, Any]:
    """A model's file."""
    return json.loads((REPOSITORY / "models" / name / file).read_text("utf-8"))


def card(name: str) -> str:
    """What a model's card says."""
    return (REPOSITORY / "models" / name / CARD).read_text("utf-8")


def rates(name: str, key: str) -> dict[str, Rate]:
    """Accuracy of the test clips by what `key` calls in them, and of all of them."""
    right: dict[str, list[bool]] = defaultdict(list)
    for clip in read(name, FILE_NAME)["clips"]:
        row = clip["probabilities"]
        is_right = row is not None and int(np.argmax(row)) == clip["digit"]
        right[str(clip[key])].append(is_right)
        right["all"].append(is_right)
    return {group: Rate(sum(rows), len(rows)) for group, rows in right.items()}


def answered(name: str, part: str) -> Rate:
    """How many of the recordings in a part of the file the model answers to."""
    threshold = read(name, RECORD)["threshold"]
    rows = [row["probabilities"] for row in read(name, FILE_NAME).get(part, [])]
    return Rate(
        sum(row is not None and max(row) >= threshold for row in rows), len(rows)
    )


def strangers(name: str) -> Rate:
    """Correct answers of a run of the same settings on speakers that it held out."""
    measured = read(name, RECORD).get("calibration", {"n_correct": 0, "n_clips": 0})
    return Rate(measured["n_correct"], measured["n_clips"])


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_model_was_made_by_its_recipe_as_it_is_now(name) -> None:
    made = config_from_dict(RunConfig, read(name, RECORD)["config"])
    now = find_recipe(name).config(made.corpora, made.others)
    assert (made.features, made.network, made.training) == (
        now.features,
        now.network,
        now.training,
    )
    assert made.split_rule == now.split_rule
    expected = find_architecture(made.network.kind).view_shift
    assert find_model(name).network.view_shift == expected


def share(rate: Rate, with_interval: str = " ({} to {})") -> str:
    """A share and its interval as the texts have it."""
    if not rate.n:
        return "not measured"
    low, high = f"{rate.low:.1%}", f"{rate.high:.1%}"
    return f"{rate.value:.1%}" + with_interval.format(low, high)


def tables(text: str) -> list[list[list[str]]]:
    """The rows of each Markdown table below its head, as cells."""
    bodies: list[list[list[str]]] = []
    is_inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            is_inside = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not is_inside:
            bodies.append([])
            is_inside = True
        bodies[-1].append(cells)
    return [rows[2:] for rows in bodies]  # head and rule


@pytest.fixture
def accuracy_tables() -> list[list[list[str]]]:
    """The tables of docs/results.md: the accuracies, and what is answered."""
    text = (report.DOCS / "results.md").read_text(encoding="utf-8")
    section = text.partition("<!-- benchmark: accuracy -->")[2].partition("<!-- end")[0]
    return tables(section)


def test_the_default_model_is_shipped():
    assert DEFAULT_MODEL in SHIPPED
    assert list_models()[0] == DEFAULT_MODEL
    assert set(list_models()) == set(SHIPPED)


def test_the_results_show_the_accuracies_in_the_evaluations(accuracy_tables):
    shown = {
        (model, tested_on.partition(":")[0], n, accuracy)
        for model, tested_on, _, n, accuracy in accuracy_tables[0]
    }
    assert len(shown) == len(accuracy_tables[0])
    saved = set()
    for name in SHIPPED:
        for corpus, rate in rates(name, "corpus").items():
            if corpus == "all":
                continue
            known = CORPORA[corpus]
            title = f"{known.title}{' (synthetic)' if known.is_synthetic else ''}"
            saved.add((name, title, f"{rate.n:,}", share(rate)))
    assert shown == saved, "run python -m audiomnist benchmark accuracy, and tables"


def test_the_results_show_what_the_models_answer(accuracy_tables):
    saved = set()
    for name in SHIPPED:
        unseen, others = strangers(name), answered(name, "others")
        measured = read(name, RECORD)["calibration"]
        words = Rate(measured["n_words_answered"], measured["n_words"])
        saved.add(
            (
                *(name, share(unseen), f"{unseen.n:,}"),
                *(share(words), f"{words.n:,}"),
                *(share(answered(name, "clips")), share(others), f"{others.n:,}"),
            )
        )
    shown = {tuple(row) for row in accuracy_tables[1]}
    assert shown == saved, "run python -m audiomnist benchmark accuracy, and tables"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_shows_the_accuracies_in_the_evaluation(name):
    (shown,) = tables(card(name))
    expected = {
        (
            CORPORA[corpus].title if corpus in CORPORA else corpus,
            *(str(rate.n), f"{rate.value:.1%}", f"{rate.low:.1%} to {rate.high:.1%}"),
        )
        for corpus, rate in rates(name, "corpus").items()
    }
    assert {tuple(row) for row in shown} == expected
    full = rates(name, "corpus")["all"].value
    assert re.search(rf"the other .*{full:.1%};", card(name))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_names_the_weaknesses_in_the_evaluation(name):
    said = card(name)
    for key, kind, size in (("digit", "Digits", ""), ("speaker", "Speakers", " of {}")):
        measured = rates(name, key)
        del measured["all"]
        (line,) = re.findall(rf"- {kind} \w+ least often: (.*)\.", said)
        shown = dict(re.findall(r"(\S+) \((.*?)\)", line))
        assert shown == {
            group: f"{measured[group].value:.1%}{size.format(measured[group].n)}"
            for group in shown
        }
        worst = max(measured[group].value for group in shown)
        assert all(r.value >= worst for g, r in measured.items() if g not in shown)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_shows_what_the_record_says(name):
    said, record = card(name), read(name, RECORD)
    assert f"{record['n_parameters']:,} parameters" in said
    assert re.search(rf"probability of .*{record['threshold']:.3f}", said)
    split = record["split"]
    sizes = (f"{split[part]:,} " for part in ("train", "validation", "test"))
    assert re.search(".*".join(sizes), said)
    assert rates(name, "corpus")["all"].n == split["test"]
    rate = strangers(name)
    if rate.n:
        low, high = f"{rate.low:.1%}", f"{rate.high:.1%}"
        assert f"{rate.value:.1%} of their clips ({low} to {high}" in said


@pytest.mark.corpus
@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_shows_what_the_version_in_8_bits_recognizes(name, fsdd):
    model = find_model(name)
    result = load_evaluation(model.folder)
    assert all(clip.path.exists() for clip in result.clips)
    finer = compare_16_bits(model, result)
    assert finer is not None
    accuracy, said = finer.accuracy, card(name)
    assert re.search(
        rf"with 16 bits \({finer.size_mb} MB\), \w+ {accuracy.value:.1%}", said
    )
    assert re.search(rf"answer.* {finer.n_different} of its clips", said)
