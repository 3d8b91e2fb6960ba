"""How much of an archive is unpacked, counted while that is done.

Owns the counts and their messages; what is counted is for `archives`.
"""

from audiomnist.errors import CorpusError


class Limits:
    """Counts members and bytes, and refuses more than allowed.

    Parameters
    ----------
    name
        What to call the archive in a message.
    max_total_bytes, max_files
        The most that is unpacked.
    """

    def __init__(self, name: str, max_total_bytes: int, max_files: int) -> None:
        self.name = name
        self.max_total_bytes = max_total_bytes
        self.max_files = max_files
        self.n_bytes = 0
        self.n_files = 0
        self.progress: tuple[int, int | None] = (0, None)

    def add_member(self) -> None:
        """Count one member."""
        self.n_files += 1
        if self.n_files > self.max_files:
            raise CorpusError(
                f"{self.name} holds more than {self.max_files:,} files, the most "
                "that is unpacked. Nothing was kept. Split it into several archives."
            )

    def check_bytes(self, n_bytes: int) -> None:
        """Refuse `n_bytes` more than were counted, without counting them."""
        if self.n_bytes + n_bytes > self.max_total_bytes:
            raise CorpusError(
                f"{self.name} unpacks to more than "
                f"{_size(self.max_total_bytes)}, the most that is unpacked. "
                "Nothing was kept. Split it into several archives, or leave out "
                "what is not a recording of a digit."
            )

    def add_bytes(self, n_bytes: int) -> None:
        """Count bytes that came out of the archive."""
        self.check_bytes(n_bytes)
        self.n_bytes += n_bytes


def _size(n_bytes: int) -> str:
    """A number of bytes for people."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
