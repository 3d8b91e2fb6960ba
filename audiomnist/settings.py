"""Where things live and what a shared server allows, from environment variables.

Owns paths and limits only; what is stored under a path belongs to the module
that writes it. Everything is read at each call, so a test or a deployment
changes a setting by changing the environment.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from audiomnist.errors import AudioMnistError

OTHER_WORDS = ".others"
"""Folder inside a corpus's own in which its recordings of other words lie."""

REPOSITORY = Path(__file__).resolve().parent.parent

EMBEDDED_FILES = Path(__file__).resolve().parent / "embedded"
"""Folder of the recordings and weights that come with the package."""


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
    home = os.environ.get("AUDIOMNIST_HOME")
    models = os.environ.get("AUDIOMNIST_MODELS")
    return Settings(
        home=Path(home).expanduser() if home else _default_home(),
        models=Path(models).expanduser() if models else REPOSITORY / "models",
        fsdd_source=os.environ.get("AUDIOMNIST_FSDD_SOURCE", ""),
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


def _count(variable: str, default: int, *, least: int) -> int:
    """A whole number from the environment, not under `least`."""
    text = os.environ.get(variable)
    if not text:
        return default
    if not text.strip().isdecimal() or int(text) < least:
        raise AudioMnistError(
            f"{variable} is {text!r}; expected a whole number from {least}."
        )
    return int(text)


def _ice_servers() -> tuple[dict[str, object], ...]:
    """The list of RTCIceServer dictionaries in AUDIOMNIST_ICE_SERVERS."""
    text = os.environ.get("AUDIOMNIST_ICE_SERVERS")
    if not text:
        return ()
    try:
        servers = json.loads(text)
    except json.JSONDecodeError as error:
        raise AudioMnistError(
            f"AUDIOMNIST_ICE_SERVERS is not JSON ({error}); "
            'expected a list such as [{"urls": "stun:stun.example.org:3478"}].'
        ) from error
    if not isinstance(servers, list) or not all(
        isinstance(server, dict) and "urls" in server for server in servers
    ):
        raise AudioMnistError(
            "AUDIOMNIST_ICE_SERVERS must be a JSON list of objects that each "
            'have "urls", such as [{"urls": "stun:stun.example.org:3478"}].'
        )
    return tuple(servers)
