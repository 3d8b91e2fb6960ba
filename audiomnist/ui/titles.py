"""What people call a corpus, on every page."""

from audiomnist.corpora.catalogue import CORPORA


def corpus_title(name: str) -> str:
    """What people call a corpus; one with synthetic voices says so."""
    card = CORPORA.get(name)
    if card is None:
        return name
    return f"{card.title} (synthetic voices)" if card.is_synthetic else card.title


def short_corpus_title(name: str) -> str:
    """What people call a corpus, where there is little room."""
    return CORPORA[name].title if name in CORPORA else name
