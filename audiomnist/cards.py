"""The known corpora: what each is, and how a download of it is recognised.

Owns facts alone; getting and loading a corpus is for `corpora`, the next step.
A new corpus is one card here.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CorpusCard:
    """A known corpus: what it is, and how a download of it is recognised.

    Parameters
    ----------
    name, title, description
        How it is called, and what it is in a sentence or two.
    n_clips
        Recordings that it must have.
    source, licence, citation, is_synthetic, official_test_takes
        As in `Corpus`.
    url
        Address of the archive, "" for the embedded corpus.
    download_mb
        Size of that archive in MB, roughly, to say before downloading.
    folder
        Folder inside the archive that holds the recordings.
    sha256
        Of the bytes of the recordings, in byte order of their names.
    """

    name: str
    title: str
    description: str
    n_clips: int
    source: str
    licence: str
    citation: str
    is_synthetic: bool
    official_test_takes: frozenset[int] = frozenset()
    url: str = ""
    download_mb: int = 0
    folder: str = ""
    sha256: str = ""


CORPORA = {
    card.name: card
    for card in (
        CorpusCard(
            name="embedded",
            title="Embedded voices",
            description=(
                "Synthetic voices that come with the app: 500 clips of each digit, "
                "made with espeak-ng in many voices, accents, rates and pitches. "
                "They cost no download, and sound less alike people than people do."
            ),
            n_clips=5000,
            source="Made by `python -m audiomnist data synthesize`",
            licence="CC0 1.0",
            citation="Synthetic voices of Audio MNIST, made with eSpeak NG.",
            is_synthetic=True,
        ),
        CorpusCard(
            name="neural",
            title="Neural voices",
            description=(
                "Synthetic voices that sound like people: each digit by 200 voices of "
                "the Kokoro synthesizer and mixtures of them, many with an accent."
            ),
            n_clips=2000,
            source="Made by `python -m audiomnist data synthesize --neural ARCHIVE`",
            licence="CC0 1.0",
            citation="Synthetic voices, made with Kokoro-82M (Apache License 2.0).",
            is_synthetic=True,
        ),
        CorpusCard(
            name="fsdd",
            title="Free Spoken Digit Dataset",
            description=(
                "Recordings of six men, 50 of each digit by each of them, at 8 kHz. "
                "Takes 0 to 4 are the official test part."
            ),
            n_clips=3000,
            source="https://github.com/Jakobovski/free-spoken-digit-dataset",
            licence="CC BY-SA 4.0",
            citation=(
                "Zohar Jackson, César Souza, Jason Flaks, Yuxin Pan, Hereman "
                "Nicolas, Adhish Thite: Jakobovski/free-spoken-digit-dataset: "
                "v1.0.8. Zenodo, 2018. doi:10.5281/zenodo.1342401"
            ),
            is_synthetic=False,
            official_test_takes=frozenset(range(5)),
            url=(
                "https://github.com/Jakobovski/free-spoken-digit-dataset"
                "/archive/v1.0.10.tar.gz"
            ),
            download_mb=16,
            folder="recordings",
            sha256="ddb17656a0bca4c5ddace082be188ca630516dc2ef1110afe3c4e9cc71173de4",
        ),
    )
}
"""The known corpora by name."""
