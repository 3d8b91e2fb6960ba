"""How TensorFlow is loaded: nothing is said that nobody asked for, and nothing lost."""

import subprocess
import sys

import pytest

from audiomnist.settings import REPOSITORY

LOAD = """
import os
{before}
from audiomnist.networks.backend import tensorflow_ready
print(tensorflow_ready().__version__)
os.write({after}, b"still heard")
"""


@pytest.mark.slow
def test_tensorflow_is_loaded_in_silence_and_stderr_is_open_again():
    code = LOAD.format(before="", after=2)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, check=True
    )
    assert done.stdout.strip()
    assert done.stderr == b"still heard"


@pytest.mark.slow
def test_tensorflow_is_loaded_where_there_is_no_stderr():
    code = LOAD.format(before="os.close(2)", after=1)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, check=True
    )
    assert b"still heard" in done.stdout
