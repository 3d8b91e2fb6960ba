"""What people call a corpus and a run, on every page."""

from audiomnist.corpora.catalogue import CORPORA
from audiomnist.networks.architectures import find_architecture
from audiomnist.runs.folder import Run


def corpus_title(name: str) -> str:
    """What people call a corpus; one with synthetic voices says so."""
    known = CORPORA.get(name)
    if known is None:
        return name
    return f"{known.title} (synthetic voices)" if known.is_synthetic else known.title


def short_corpus_title(name: str) -> str:
    """What people call a corpus, where there is little room."""
    return CORPORA[name].title if name in CORPORA else name


def run_title(run: Run) -> str:
    """What people call a run; one without a title goes by its network and its id.

    Raises
    ------
    RunError
        If the run is damaged.
    """
    config = run.config
    return config.title or f"{find_architecture(config.network.kind).title} {run.id}"
