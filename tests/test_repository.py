"""The repository as a whole: small enough to be cloned anywhere."""

import subprocess
import tomllib

import pytest
from PIL import Image

from audiomnist.settings import REPOSITORY

MAX_MB = 32.0
PICTURES = sorted((REPOSITORY / "docs" / "screenshots").glob("*.png"))


@pytest.fixture
def tracked() -> list[str]:
    """Names of the files under version control; skips where there is none."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    if not (REPOSITORY / ".git").exists():
        pytest.skip("the checkout is that of another repository")
    return [name for name in listed.stdout.decode().split("\0") if name]


def test_the_tracked_files_are_under_32_mb(tracked):
    paths = [REPOSITORY / name for name in tracked]
    sizes = {path: path.stat().st_size for path in paths if path.is_file()}
    largest = sorted(sizes, key=sizes.__getitem__, reverse=True)[:5]
    assert sum(sizes.values()) / 1e6 < MAX_MB, [
        f"{path.relative_to(REPOSITORY)}: {sizes[path] / 1e6:.2f} MB"
        for path in largest
    ]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_the_pictures_of_the_pages_have_a_palette(path):
    assert Image.open(path).mode == "P", "docs/screenshots.py saves them so"


def test_visitors_are_spared_stack_traces():
    config = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text())
    assert config["client"]["showErrorDetails"] == "none"
