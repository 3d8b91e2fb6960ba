"""Settings: every variable is read, and nonsense in one is refused in words."""

import os
from pathlib import Path

import pytest

from audiomnist.errors import AudioMnistError
from audiomnist.settings import REPOSITORY, Settings, settings, writable_folder


def test_without_variables_the_defaults_hold(monkeypatch):
    monkeypatch.delenv("AUDIOMNIST_HOME")
    here = settings()
    assert here.home.is_absolute()
    assert "audiomnist" in here.home.name
    assert here.models == REPOSITORY / "models"
    assert here == Settings(home=here.home, models=here.models)


def test_everything_is_kept_under_home(home):
    here = settings()
    assert here.home == home
    folders = {here.corpora, here.runs, here.cache}
    assert {folder.parent for folder in folders} == {home}
    assert len(folders) == 3


def test_home_may_start_with_a_tilde(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AUDIOMNIST_HOME", "~/digits")
    assert settings().home == tmp_path / "digits"


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("AUDIOMNIST_MODELS", "elsewhere", "models", Path("elsewhere")),
        ("AUDIOMNIST_FSDD_SOURCE", "fsdd.tar.gz", "fsdd_source", "fsdd.tar.gz"),
        ("AUDIOMNIST_MAX_RUNNING", "3", "max_running", 3),
        ("AUDIOMNIST_MAX_WAITING", "0", "max_waiting", 0),
        (
            "AUDIOMNIST_ICE_SERVERS",
            '[{"urls": "stun:stun.example.org"}]',
            "ice_servers",
            ({"urls": "stun:stun.example.org"},),
        ),
    ],
)
def test_each_variable_sets_its_setting(monkeypatch, variable, value, field, expected):
    monkeypatch.setenv(variable, value)
    assert getattr(settings(), field) == expected


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AUDIOMNIST_MAX_RUNNING", "0"),
        ("AUDIOMNIST_MAX_RUNNING", "two"),
        ("AUDIOMNIST_MAX_WAITING", "-1"),
        ("AUDIOMNIST_ICE_SERVERS", "stun:stun.example.org"),
        ("AUDIOMNIST_ICE_SERVERS", '{"urls": "stun:stun.example.org"}'),
        ("AUDIOMNIST_ICE_SERVERS", '[{"username": "anna"}]'),
        ("AUDIOMNIST_ICE_SERVERS", '[{"urls": 5}]'),
        ("AUDIOMNIST_ICE_SERVERS", '[{"urls": []}]'),
        ("AUDIOMNIST_ICE_SERVERS", '[{"urls": "https://example.org"}]'),
        ("AUDIOMNIST_ICE_SERVERS", '[{"urls": ["turn:a"], "credential": 5}]'),
        pytest.param("AUDIOMNIST_ICE_SERVERS", 100_000 * "[", id="nested"),
        pytest.param("AUDIOMNIST_MAX_RUNNING", 5000 * "9", id="5,000 digits"),
        ("AUDIOMNIST_MAX_RUNNING", "²"),
        ("AUDIOMNIST_HOME", "~nosuchuser/x"),
        ("AUDIOMNIST_MODELS", "~nosuchuser/x"),
        ("AUDIOMNIST_FSDD_SOURCE", "http://[bad"),
        ("AUDIOMNIST_FSDD_SOURCE", "https://"),
        ("AUDIOMNIST_FSDD_SOURCE", "https://example.org:port/x.tar.gz"),
        ("AUDIOMNIST_FSDD_SOURCE", "ftp://example.org/x.tar.gz"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_variable(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(AudioMnistError, match=variable) as refused:
        settings()
    assert len(str(refused.value)) < 500


def test_a_writable_folder_is_made(tmp_path):
    folder = tmp_path / "one" / "two"
    assert writable_folder(folder) == folder
    assert folder.is_dir()


def test_a_folder_under_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AudioMnistError, match="cannot be created"):
        writable_folder(tmp_path / "file" / "folder")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="the administrator may write everywhere",
)
def test_a_folder_without_write_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(AudioMnistError, match="not writable"):
        writable_folder(tmp_path)
