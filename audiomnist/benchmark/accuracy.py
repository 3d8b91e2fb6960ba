"""Accuracy of the shipped models on clips that they were not trained on."""

from collections.abc import Sequence
from typing import Any

from audiomnist.benchmark import report
from audiomnist.corpora.clips import Clip
from audiomnist.corpora.library import load_corpus
from audiomnist.corpora.other_words import available_other_words, load_other_words
from audiomnist.errors import CorpusError
from audiomnist.evaluation.evaluate import evaluate
from audiomnist.evaluation.files import load_evaluation
from audiomnist.evaluation.rejection import at_threshold
from audiomnist.evaluation.significance import Rate
from audiomnist.recognition.calibration import COVERAGE
from audiomnist.recognition.models import Model, find_model, list_models
from audiomnist.runs.record import read_record
from audiomnist.settings import settings


def shipped_models() -> list[str]:
    """Names of the models that come with the app."""
    return [name for name in list_models() if (settings().models / name).is_dir()]


def measure() -> dict[str, Any]:
    """Evaluate each shipped model on its test part again, as far as it is here.

    Returns
    -------
    dict
        models: a list of model, corpus, title, is_synthetic, rule, seed, speakers, and
        n and n_correct of the test part. answers: a list of model, threshold, and of
        its digits and of other words how many there are and how many it answers, and
        the correct answers of a run with the same settings on speakers that it held
        out.

    Raises
    ------
    CorpusError
        If no recording of a test part is here.
    """
    measured = [_evaluate(find_model(name)) for name in shipped_models()]
    return {
        "models": [row for rows, _ in measured for row in rows],
        "answers": [answers for _, answers in measured],
    }


def table(entry: dict[str, Any]) -> str:
    """Lay a result out as Markdown: the accuracy, and what is answered."""
    head = ["model", "tested on", "split", "clips", "accuracy (95 % interval)"]
    rows = []
    for row in entry["models"]:
        n_speakers = len(row["speakers"])
        who = ", ".join(row["speakers"]) if n_speakers < 7 else f"{n_speakers} voices"
        voices = " (synthetic)" if row["is_synthetic"] else ""
        rows.append(
            [
                row["model"],
                f"{row['title']}{voices}: {who}",
                f"{row['rule']}, seed {row['seed']}",
                f"{row['n']:,}",
                report.rate_text(Rate(row["n_correct"], row["n"])),
            ]
        )
    answers = [
        [
            row["model"],
            report.rate_text(Rate(row["n_correct_strangers"], row["n_strangers"])),
            f"{row['n_strangers']:,}",
            report.rate_text(Rate(row["n_answered_words"], row["n_words"])),
            f"{row['n_words']:,}",
            report.rate_text(Rate(row["n_answered"], row["n"])),
            report.rate_text(Rate(row["n_others_answered"], row["n_others"])),
            f"{row['n_others']:,}",
        ]
        for row in entry["answers"]
    ]
    of_answers = [
        "model",
        "unknown speakers: accuracy",
        "clips",
        "their other words answered",
        "words",
        "test part: digits answered",
        "its other words answered",
        "words",
    ]
    return (
        report.markdown_table(head, rows)
        + "\n\nUnknown speakers: measured by a run with the same settings that kept "
        "whole speakers, real and synthetic, out of its training. Its threshold lets "
        f"{COVERAGE:.0%} of their digits be answered; their other words are "
        "recordings. Other words of the test part are by speakers whose other words "
        "were not used for training. The embedding in the best model and in the CNN's "
        "teacher, however, was adapted to noise, without labels, on the synthetic "
        "voices and on other words, including those of this test.\n\n"
        + report.markdown_table(of_answers, answers)
    )


def _evaluate(model: Model) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One shipped model: rows of its corpora, and what it answers."""
    record = read_record(model.folder)
    config = record.config
    saved = load_evaluation(model.folder)
    clips = [clip for clip in saved.clips if clip.path.exists()]
    if not clips:
        raise CorpusError(
            f"No recording of the test part of {model.name} is here. Run python -m "
            f"audiomnist data download {config.corpora[-1]}."
        )
    result = evaluate(model, clips, other_words=_recordings(saved.other_word_names))
    rows = []
    for corpus in map(load_corpus, sorted({clip.corpus for clip in clips})):
        is_correct = [
            bool(correct)
            for clip, correct in zip(result.clips, result.is_correct, strict=True)
            if clip.corpus == corpus.name
        ]
        of_corpus = {clip.speaker for clip in clips if clip.corpus == corpus.name}
        rows.append(
            {
                "model": model.name,
                "corpus": corpus.name,
                "title": corpus.title,
                "is_synthetic": corpus.is_synthetic,
                "rule": config.split_rule,
                "seed": config.split_seed,
                "speakers": sorted(of_corpus),
                "n": len(is_correct),
                "n_correct": sum(is_correct),
            }
        )
    answered = at_threshold(result, model.calibration.threshold)
    strangers = record.strangers
    return rows, {
        "model": model.name,
        "threshold": model.calibration.threshold,
        "n": answered.coverage.n,
        "n_answered": answered.coverage.successes,
        "n_others": answered.false_answers.n,
        "n_others_answered": answered.false_answers.successes,
        "n_strangers": strangers.n_clips if strangers else 0,
        "n_correct_strangers": strangers.n_correct if strangers else 0,
        "n_words": strangers.n_words if strangers else 0,
        "n_answered_words": strangers.n_words_answered if strangers else 0,
    }


def _recordings(names: Sequence[str]) -> list[Clip]:
    """The recordings of other words that have these names, as far as they are here."""
    wanted = set(names)
    return [
        clip
        for source in available_other_words()
        for clip in load_other_words(source)
        if clip.path.name in wanted or (clip.member or "") in wanted
    ]
