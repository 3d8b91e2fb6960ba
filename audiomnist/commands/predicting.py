"""python -m audiomnist models, evaluate, predict: what trained models answer."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiomnist.audio.formats import FORMAT_NAMES
from audiomnist.commands.bars import stage_bars
from audiomnist.errors import AudioError, CorpusError, ModelError
from audiomnist.networks.backend import silent_stderr

if TYPE_CHECKING:
    from audiomnist.corpora.clips import Clip, Corpus
    from audiomnist.evaluation.metrics import Evaluation
    from audiomnist.recognition.models import Model
    from audiomnist.recognition.recognizer import Recognizer

MAX_BYTES = 200 * 1024**2
"""Largest file that `predict` reads; a minute of any usual recording is smaller."""


_model_option = click.option(
    "--model", "name", metavar="NAME", help="Name of a model (see models)."
)


@click.command(short_help="list the models that can be used")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def models(as_json: bool) -> None:
    """List the models that come with the app and those of finished runs."""
    from audiomnist.recognition.models import list_models

    rows = [_model_row(name) for name in list_models()]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        about = row["error"] or f"{row['network']}, {row['n_parameters']:,} parameters"
        print(f"{row['name']:<28} {about}  ({row['folder']})")


def _model_row(name: str) -> dict[str, Any]:
    """What is told of one model."""
    from audiomnist.recognition.models import find_model
    from audiomnist.runs.record import read_record

    row = {"name": name, "network": "", "n_parameters": 0, "folder": "", "error": ""}
    try:
        with silent_stderr():
            model = find_model(name)
    except ModelError as error:
        return row | {"error": str(error)}
    return row | {
        "network": read_record(model.folder).config.network.kind,
        "n_parameters": model.n_parameters,
        "folder": str(model.folder),
    }


@click.command(short_help="how often a model is right on labelled recordings")
@_model_option
@click.option(
    "--corpus",
    "source",
    metavar="NAME_OR_FOLDER",
    required=True,
    help="A corpus (see data list), or a folder of recordings.",
)
@click.option(
    "--part",
    type=click.Choice(("all", "test")),
    default="all",
    show_default=True,
    help="All of its clips, or only those that the model's own split kept for the "
    "test.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(name: str | None, source: str, part: str, as_json: bool) -> None:
    """Evaluate a model on labelled recordings.

    Prints accuracy with its 95 % interval (Wilson), the confusion matrix and accuracy
    per speaker.
    """
    from audiomnist.corpora.library import load_corpus
    from audiomnist.evaluation.evaluate import evaluate
    from audiomnist.storage import Progress

    model = _model(name)
    corpus = load_corpus(source)
    clips = _part(corpus, model, part)
    for note in _notes(corpus, model, part):
        print(f"audiomnist: {note}", file=sys.stderr)
    with stage_bars() as show:
        result = evaluate(
            model,
            clips,
            corpora=[corpus.name],
            on_progress=lambda *counts: show(Progress("evaluating", *counts)),
        )
    content = {
        "model": model.name,
        "corpus": corpus.name,
        "part": part,
        **_measures(result),
    }
    print(json.dumps(content) if as_json else _as_tables(content))


def _notes(corpus: "Corpus", model: "Model", part: str) -> Iterator[str]:
    """What to bear in mind about an evaluation."""
    if corpus.skipped:
        name, reason = corpus.skipped[0]
        yield (
            f"{len(corpus.skipped)} files in {corpus.name} were left out; "
            f"{name}: {reason}"
        )
    if part == "all" and corpus.digest in _trained_on(model).values():
        yield (
            f"{model.name} was trained on a part of {corpus.name}, so the accuracy "
            "flatters."
        )


def _part(corpus: "Corpus", model: "Model", part: str) -> "tuple[Clip, ...]":
    """All clips of a corpus, or those that the model's own split held out of it."""
    if part == "all":
        return corpus.clips
    from audiomnist.corpora.library import load_corpus
    from audiomnist.runs.record import read_record

    config = read_record(model.folder).config
    names = [name for name, of in _trained_on(model).items() if of == corpus.digest]
    if not names:
        raise CorpusError(
            f"The model {model.name} was not trained on {corpus.name}, so it has no "
            f"test part of it; it has of {', '.join(config.corpora)}. All clips are "
            "new to it: use --part all."
        )
    clips = config.split_one(load_corpus(names[0])).test
    if not clips:
        raise CorpusError(
            f"The model {model.name} kept no clip of {corpus.name} for its test; by "
            f"the rule {config.split_rule} it was trained on it. Use --part all, and "
            "bear in mind that the accuracy flatters the model."
        )
    return clips


def _trained_on(model: "Model") -> dict[str, str]:
    """Digests of the corpora that a model learned from, by their names.

    Recordings tell more than names: a folder may be called like a corpus.
    """
    from audiomnist.runs.record import read_record

    return read_record(model.folder).corpora


def _measures(result: "Evaluation") -> dict[str, Any]:
    """The metrics of an evaluation, as JSON can hold them."""
    accuracy = result.accuracy
    return {
        "n": accuracy.n,
        "n_correct": accuracy.successes,
        "accuracy": accuracy.value,
        "interval": [accuracy.low, accuracy.high],
        "confusion": result.confusion().tolist(),
        "per_speaker": result.per_speaker().to_dict("records"),
    }


def _as_tables(content: dict[str, Any]) -> str:
    """The measures of an evaluation for people."""
    low, high = content["interval"]
    columns = [*(str(digit) for digit in range(10)), "none"]
    confusion = [
        f"{digit:>8}" + "".join(f"{count or '.':>6}" for count in row)
        for digit, row in enumerate(content["confusion"])
    ]
    speakers = [
        f"{row['speaker']:<24} {row['accuracy']:7.1%}  "
        f"({row['low']:.1%} to {row['high']:.1%}), n = {row['n']}"
        for row in content["per_speaker"]
    ]
    return "\n".join(
        [
            f"{content['model']} on {content['corpus']} ({content['part']} clips)",
            f"Accuracy {content['accuracy']:.1%} (95 % interval {low:.1%} to "
            f"{high:.1%}), n = {content['n']}",
            "",
            "Spoken digit (row), predicted digit (column); none: no speech was found",
            " " * 8 + "".join(f"{name:>6}" for name in columns),
            *confusion,
            "",
            "Speaker",
            *speakers,
        ]
    )


@click.command(
    short_help="predict the digit in each file",
    epilog=f"Formats: {FORMAT_NAMES}, known by their contents. With --json each line "
    "is an object: path, digit (0-9, or null where there is no speech, no digit or the "
    "model is not sure: see reason), probability, probabilities (10), latency_ms, "
    "reason, error (text or null) and not_a_digit (the probability that it is none).",
)
@_model_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@click.option(
    "--files-from",
    "names",
    metavar="LIST",
    help="Also read file names from this file, one a line; - for standard input.",
)
@click.argument("files", metavar="[FILE]...", nargs=-1)
def predict(
    name: str | None, as_json: bool, names: str | None, files: tuple[str, ...]
) -> int:
    """Predict the digit in each FILE.

    A line is printed for each as soon as it is known. A file that cannot be read is
    reported in its line, and the next ones are predicted; the exit status is then 2.
    """
    from audiomnist.recognition.recognizer import Recognizer

    recognizer = Recognizer(_model(name))
    _warm_up(recognizer)
    n_files, errors = 0, []
    for path in _paths(files, names):
        answer = _answer(recognizer, path)
        _print_answer(answer, as_json)
        n_files += 1
        if answer["error"]:
            errors.append(answer["error"])
    if not n_files:
        raise AudioError("No file was named. Name one, or give --files-from LIST.")
    if errors and as_json:
        raise AudioError(
            f"{len(errors)} of {n_files} files could not be read. {errors[0]}"
        )
    return 2 if errors else 0


def _print_answer(answer: dict[str, Any], as_json: bool) -> None:
    """Print the line about one file at once."""
    if as_json:
        print(json.dumps(answer), flush=True)
    elif answer["error"]:
        print(f"audiomnist: {answer['error']}", file=sys.stderr, flush=True)
    else:
        print(_as_text(answer), flush=True)


def _model(name: str | None) -> "Model":
    """The model of that name, or the default one."""
    from audiomnist.recognition.models import DEFAULT_MODEL, find_model

    with silent_stderr():
        return find_model(name or DEFAULT_MODEL)


def _warm_up(recognizer: "Recognizer") -> None:
    """Predict a tone, so that the first file's latency does not include imports."""
    import numpy as np

    from audiomnist.audio.signal import Audio

    time = np.arange(24_000) / 48_000  # (n_samples,)
    samples = 0.3 * np.sin(2 * np.pi * 300 * time) * np.sin(2 * np.pi * time) ** 2
    recognizer.predict(Audio(samples.astype(np.float32), 48_000))


def _paths(files: Sequence[str], names: str | None) -> Iterator[str]:
    """The files that were named, then those in the list, as it is read."""
    yield from files
    if not names:
        return
    with (
        nullcontext(sys.stdin)
        if names == "-"
        else Path(names).open(errors="surrogateescape")
    ) as lines:
        yield from (name for line in lines if (name := line.rstrip("\r\n")))


def _answer(recognizer: "Recognizer", path: str) -> dict[str, Any]:
    """What a line tells of one file."""
    answer: dict[str, Any] = {
        "path": path,
        "digit": None,
        "probability": None,
        "probabilities": None,
        "latency_ms": None,
        "reason": "",
        "error": None,
        "not_a_digit": None,
    }
    try:
        prediction = recognizer.predict_bytes(_read(path), path)
    except AudioError as error:
        return answer | {"error": " ".join(str(error).split())}
    answer |= {"digit": prediction.digit, "reason": prediction.reason}
    if prediction.probabilities is not None:
        answer["probability"] = round(prediction.probability or 0.0, 6)
        answer["probabilities"] = [round(float(p), 6) for p in prediction.probabilities]
        answer["not_a_digit"] = round(prediction.unknown, 6)
    return answer | {"latency_ms": round(prediction.latency_ms, 3)}


def _read(path: str) -> bytes:
    """The bytes of a file that is small enough to be a recording of a digit."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise AudioError(f"{path} cannot be read ({why}). Check its name.") from error
    if len(data) > MAX_BYTES:
        raise AudioError(
            f"{path} is larger than {MAX_BYTES // 1024**2} MB; expected a recording "
            "of one digit. Cut it out and try again."
        )
    return data


def _as_text(answer: dict[str, Any]) -> str:
    """One line about a file for people."""
    name = answer["path"].encode(errors="backslashreplace").decode()
    if answer["digit"] is None:
        return f"{name}: {answer['reason']}  ({answer['latency_ms']:.1f} ms)"
    return (
        f"{name}: {answer['digit']}  "
        f"({answer['probability']:.1%}, {answer['latency_ms']:.1f} ms)"
    )
