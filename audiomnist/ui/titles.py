"""What people call a corpus, on every page."""

from audiomnist.corpora.catalogue import CORPORA


def corpus_title(name: str) -> str:
    """What people call a corpus; one with synthetic voices says so."""
    known = CORPORA.get(name)
    if known is None:
        return name
    return f"{known.title} (synthetic voices)" if known.is_synthetic else known.title


def short_corpus_title(name: str) -> str:
    """What people call a corpus, where there is little room."""
    return CORPORA[name].title if name in CORPORA else name
