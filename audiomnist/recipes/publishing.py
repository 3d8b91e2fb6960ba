"""Publish a finished run: its model under a name of its own, with a model card.

Owns the copy in the folder of shipped models. The text of the card is for `model_card`.
"""

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from audiomnist.errors import ModelError
from audiomnist.evaluation.files import FILE_NAME, load_evaluation, save_evaluation
from audiomnist.networks.architectures import find_architecture
from audiomnist.networks.files import load_network, save_network, to_litert
from audiomnist.recipes.model_card import LITERT_16BIT, model_card
from audiomnist.recognition.models import LITERT, WEIGHTS, Model, is_folder_name
from audiomnist.recognition.record import FINISHED, ModelRecord
from audiomnist.runs.clips import resolve_clips
from audiomnist.runs.execution import evaluate_model
from audiomnist.runs.folder import Run
from audiomnist.runs.record import UnknownSpeakersTest, write_record
from audiomnist.settings import settings, writable_folder
from audiomnist.storage import replacing, replacing_folder, write_atomically
from audiomnist.training.history import HISTORY

CARD = "CARD.md"


def publish(run: Run, name: str, strangers: UnknownSpeakersTest | None = None) -> Path:
    """Copy a finished run's model to the shipped models and write its card.

    Its weights are rounded to half precision, which halves their files. What answers
    has them in 8 bits, which is quicker, and the card says what it costs.
    A model that is shipped under this name already is replaced as a whole: whoever
    reads, and whatever breaks off, finds the old one or the new one.

    Parameters
    ----------
    run
        A finished run.
    name
        What the model is called.
    strangers
        Its calibration replaces the run's own, where the run kept too few speakers
        apart to be calibrated.

    Raises
    ------
    ModelError
        If the run is not finished, the name is no plain folder name, or the
        folder cannot be written.
    CorpusError
        If a recording of the run is not here.
    """
    trained = _model_to_ship(run, name)
    clips = resolve_clips(run.config)  # what is missing shows before anything is done
    folder = writable_folder(settings().models) / name
    if strangers is not None:
        trained = replace(trained, calibration=strangers.calibration)
    record = replace(run.record, model=trained, strangers=strangers)
    try:
        with replacing_folder(folder) as unfinished:
            for file in (HISTORY, FILE_NAME):
                shutil.copyfile(run.folder / file, unfinished / file)
            _write_network(run.folder / WEIGHTS, unfinished)
            write_record(unfinished, record)
            model = Model.load(unfinished)
            # Again, with the temperature that the shipped model has.
            corpora = load_evaluation(unfinished).corpora
            save_evaluation(evaluate_model(model, clips, corpora), unfinished)
            card = model_card(name, model, record, clips)
            write_atomically(unfinished / CARD, card.encode())
    except OSError as error:
        raise ModelError(
            f"The model cannot be written to {folder} ({error.strerror}). A model that "
            "was there is as it was. Make room there or set AUDIOMNIST_MODELS to "
            "another folder."
        ) from error
    return folder


def _model_to_ship(run: Run, name: str) -> ModelRecord:
    """What a run's record says of its model; ModelError says why it cannot be shipped.

    The files are made anew, also where the run is of an earlier version: so the views
    are those that its network has now.
    """
    if run.state != FINISHED:
        raise ModelError(
            f"The run {run.id} is {run.state}; only a finished run has a model."
        )
    if not is_folder_name(name):
        raise ModelError(
            f"{name!r} cannot name a model; expected letters, digits, '-', '_' and '.'."
        )
    record = run.record
    if record.model is None:
        raise ModelError(
            f"The record of the run {run.id} tells of no model. Train it again."
        )
    view_shift = find_architecture(record.config.network.kind).view_shift
    return replace(record.model, view_shift=view_shift)


def _write_network(weights: Path, folder: Path) -> None:
    """Write a network in half precision, for Keras and for LiteRT."""
    network = load_network(weights)
    for variable in network.weights:
        if len(variable.shape) > 1:  # offsets and scales take no room
            variable.assign(variable.numpy().astype(np.float16))
    save_network(network, folder / WEIGHTS)
    _pack(folder / WEIGHTS)
    for file, n_bits in ((LITERT, 8), (LITERT_16BIT, 16)):
        write_atomically(folder / file, to_litert(network, n_bits=n_bits))


def _pack(path: Path) -> None:
    """Compress the parts of a Keras file, which is a zip archive."""
    with (
        zipfile.ZipFile(path) as loose,
        replacing(path) as unfinished,
        zipfile.ZipFile(unfinished, "w", zipfile.ZIP_BZIP2, compresslevel=9) as tight,
    ):
        for member in loose.infolist():
            tight.writestr(member.filename, loose.read(member))
