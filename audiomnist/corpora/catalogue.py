"""The known corpora: what each is, and how a download of it is recognized.

Owns facts alone: a new corpus is one entry here. Getting and loading a corpus is for
`library`.
"""

from dataclasses import dataclass

from audiomnist.digits import DIGIT_WORDS


@dataclass(frozen=True)
class KnownCorpus:
    """A known corpus: what it is, and how a download of it is recognized.

    Parameters
    ----------
    name, title, description
        How it is called, and what it is in a sentence or two.
    n_clips
        Recordings that it must have.
    source, licence, citation, is_synthetic, official_test_takes
        As in `Corpus`.
    official_test_list
        Name of the file in the archive that lists the official test recordings, one
        a line; its speakers test. "" where there is none.
    n_speakers
        How many people must speak in it, each digit as often as the others; 0 where
        a digest says all.
    url
        Address of the archive, "" for a corpus that cannot be downloaded.
    download_mb
        Size of that archive in MB, roughly, to say before downloading.
    folders
        Names of the folders inside the archive that hold the recordings.
    other_words
        How many recordings of each other word, one in each folder of the archive, are
        kept at most, so that networks learn what is not a digit; 0 if it holds none.
    sha256
        Of the bytes of the recordings, in byte order of their names, "" if that is
        not known.
    archive_sha256
        Of the archive itself, "" if that changes or is not known.
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
    official_test_list: str = ""
    n_speakers: int = 0
    url: str = ""
    download_mb: int = 0
    folders: tuple[str, ...] = ()
    other_words: int = 0
    sha256: str = ""
    archive_sha256: str = ""


CORPORA = {
    known.name: known
    for known in (
        KnownCorpus(
            name="embedded",
            title="Embedded voices",
            description=(
                "Synthetic voices that come with the app: 500 clips of each digit, "
                "made with espeak-ng in many voices, accents, rates and pitches. They "
                "need no download, but they do not sound much like real people."
            ),
            n_clips=5000,
            source="Made by `python -m audiomnist data synthesize`",
            licence="CC0 1.0",
            citation="Synthetic voices of Audio MNIST, made with eSpeak NG.",
            is_synthetic=True,
        ),
        KnownCorpus(
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
            folders=("recordings",),
            sha256="ddb17656a0bca4c5ddace082be188ca630516dc2ef1110afe3c4e9cc71173de4",
        ),
        KnownCorpus(
            name="audiomnist",
            title="AudioMNIST",
            description=(
                "Recordings of 60 people, 12 of them women, with many accents: 50 of "
                "each digit by each of them, in quiet offices, at 48 kHz."
            ),
            n_clips=30_000,
            source="https://github.com/soerenab/AudioMNIST",
            licence="MIT",
            citation=(
                "Sören Becker, Johanna Vielhaben, Marcel Ackermann, Klaus-Robert "
                "Müller, Sebastian Lapuschkin, Wojciech Samek: AudioMNIST: Exploring "
                "Explainable Artificial Intelligence for Audio Analysis on a Simple "
                "Benchmark. Journal of the Franklin Institute 361(1), 2024."
            ),
            is_synthetic=False,
            # No digest of it is published: its names, numbers and sound are checked.
            n_speakers=60,
            url=(
                "https://github.com/soerenab/AudioMNIST"
                "/archive/refs/heads/master.tar.gz"
            ),
            download_mb=1000,
            folders=tuple(f"{number:02}" for number in range(1, 61)),
        ),
        KnownCorpus(
            name="speech-commands",
            title="Speech Commands, the digits",
            description=(
                "Recordings of the ten digits by some 2,600 people in their own rooms "
                "and through their own microphones, at 16 kHz. Some of its other words "
                "are included, to learn what is not a digit."
            ),
            n_clips=38_908,
            source="https://arxiv.org/abs/1804.03209",
            licence="CC BY 4.0",
            citation=(
                "Pete Warden: Speech Commands: A Dataset for Limited-Vocabulary Speech "
                "Recognition. arXiv:1804.03209, 2018."
            ),
            is_synthetic=False,
            official_test_list="testing_list.txt",
            url=(
                "https://storage.googleapis.com/download.tensorflow.org"
                "/data/speech_commands_v0.02.tar.gz"
            ),
            download_mb=2429,
            folders=DIGIT_WORDS,
            other_words=400,
            archive_sha256=(
                "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58"
            ),
        ),
    )
}
"""The known corpora by name."""
