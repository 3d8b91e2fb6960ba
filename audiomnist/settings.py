"""Where things live and what a shared server allows, from environment variables.

Owns paths and limits only; what is stored under a path belongs to the module
that writes it. Everything is read at each call, so a test or a deployment
changes a setting by changing the environment.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from audiomnist.errors import AudioMnistError

OTHER_WORDS = ".others"
"""Folder inside a corpus's own in which its recordings of other words lie."""

REPOSITORY = Path(__file__).resolve().parent.parent

EMBEDDED_FILES = Path(__file__).resolve().parent / "embedded"
"""Folder of the recordings and weights that come with the package."""


_SCHEMES = ("http", "https")
_ICE = ("stun:", "stuns:", "turn:", "turns:")
_CREDENTIALS = ("username", "credential")
_MAX_DIGITS, _MAX_SHOWN = 9, 80


@dataclass(frozen=True)
class Settings:
    """The settings in force.

    Parameters
    ----------
    home
        Folder for everything that is downloaded, cached or trained
        (`AUDIOMNIST_HOME`).
    models
        Folder of the shipped models (`AUDIOMNIST_MODELS`).
    fsdd_source
        URL or file that replaces the Free Spoken Digit Dataset's own address,
        or "" (`AUDIOMNIST_FSDD_SOURCE`).
    max_running
        Training runs that may work at the same time (`AUDIOMNIST_MAX_RUNNING`).
    max_waiting
        Training runs that may wait for their turn (`AUDIOMNIST_MAX_WAITING`).
    ice_servers
        STUN and TURN servers for the live stream, as WebRTC's RTCIceServer
        dictionaries (`AUDIOMNIST_ICE_SERVERS`, a JSON list).
    """

    home: Path
    models: Path
    fsdd_source: str = ""
    max_running: int = 1
    max_waiting: int = 8
    ice_servers: tuple[dict[str, object], ...] = ()

    @property
    def corpora(self) -> Path:
        """Folder of downloaded and imported corpora."""
        return self.home / "corpora"

    @property
    def other_words(self) -> Path:
        """Folder of recordings of other words, which are not digits."""
        return self.home / "others"

    @property
    def runs(self) -> Path:
        """Folder of training runs, one folder a run."""
        return self.home / "runs"

    @property
    def cache(self) -> Path:
        """Folder of what can be computed again: features, partial downloads."""
        return self.home / "cache"


def settings() -> Settings:
    """Read the settings from the environment.

    Raises
    ------
    AudioMnistError
        If a variable holds something that it cannot mean.
    """
    return Settings(
        home=_folder("AUDIOMNIST_HOME") or _default_home(),
        models=_folder("AUDIOMNIST_MODELS") or REPOSITORY / "models",
        fsdd_source=_source("AUDIOMNIST_FSDD_SOURCE"),
        max_running=_count("AUDIOMNIST_MAX_RUNNING", Settings.max_running, least=1),
        max_waiting=_count("AUDIOMNIST_MAX_WAITING", Settings.max_waiting, least=0),
        ice_servers=_ice_servers(),
    )


def writable_folder(folder: Path) -> Path:
    """Create a folder if it is missing and return it.

    Raises
    ------
    AudioMnistError
        If it cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioMnistError(
            f"The folder {folder} cannot be created ({error.strerror}). "
            "Set AUDIOMNIST_HOME to a folder that you may write to."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise AudioMnistError(
            f"The folder {folder} is not writable. "
            "Set AUDIOMNIST_HOME to a folder that you may write to."
        )
    return folder


def _default_home() -> Path:
    """The operating system's folder for one user's application data."""
    import platformdirs

    return platformdirs.user_data_path("audiomnist", appauthor=False)


def _folder(variable: str) -> Path | None:
    """A folder from the environment, None where none is named."""
    text = os.environ.get(variable)
    if not text:
        return None
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise AudioMnistError(
            f"{variable} is {_short(text)}, and there is no such user. Name a folder "
            "by its whole path."
        ) from error


def _source(variable: str) -> str:
    """An address or file from the environment, "" where none is named."""
    text = os.environ.get(variable, "")
    if "://" not in text:
        return text
    try:
        address = urlsplit(text)
        is_known = address.scheme in _SCHEMES and bool(address.hostname)
        is_known = is_known and (address.port is None or address.port > 0)
    except ValueError:
        is_known = False
    if not is_known:
        raise AudioMnistError(
            f"{variable} is {_short(text)}, which is no address; expected one that "
            f"begins with {' or '.join(f'{scheme}://' for scheme in _SCHEMES)}, or "
            "the path of a file."
        )
    return text


def _count(variable: str, default: int, *, least: int) -> int:
    """A whole number from the environment, not under `least`."""
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    # Longer ones mean nothing, and Python refuses to read the longest.
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    if not is_number or int(text) < least:
        raise AudioMnistError(
            f"{variable} is {_short(text)}; expected a whole number from {least}, of "
            f"{_MAX_DIGITS} digits at most."
        )
    return int(text)


def _short(text: str) -> str:
    """What a variable holds, cut where it is long."""
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")


def _is_ice_server(server: object) -> bool:
    """Whether it is an RTCIceServer dictionary, as browsers take it."""
    if not isinstance(server, dict):
        return False
    urls = server.get("urls")
    urls = [urls] if isinstance(urls, str) else urls
    return (
        isinstance(urls, list)
        and bool(urls)
        and all(isinstance(url, str) and url.startswith(_ICE) for url in urls)
        and all(isinstance(server.get(key, ""), str) for key in _CREDENTIALS)
    )


def _ice_servers() -> tuple[dict[str, object], ...]:
    """The list of RTCIceServer dictionaries in AUDIOMNIST_ICE_SERVERS."""
    text = os.environ.get("AUDIOMNIST_ICE_SERVERS")
    if not text:
        return ()
    try:
        servers = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AudioMnistError(
            f"AUDIOMNIST_ICE_SERVERS is not JSON ({error}); "
            'expected a list such as [{"urls": "stun:stun.example.org:3478"}].'
        ) from error
    if not isinstance(servers, list) or not all(map(_is_ice_server, servers)):
        raise AudioMnistError(
            f"AUDIOMNIST_ICE_SERVERS is {_short(text)}; expected a JSON list of "
            'objects whose "urls" begin with stun: or turn:, such as '
            '[{"urls": "stun:stun.example.org:3478"}].'
        )
    return tuple(servers)
