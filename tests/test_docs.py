"""The documentation and the files that describe the repository: true and complete."""

import doctest
import importlib
import re
import runpy
import tomllib

import pytest
import yaml

from audiomnist.settings import REPOSITORY

MAX_README = 10_000  # bytes
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")], key=str)
_TARGET = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def text_of(name: str) -> str:
    """A file of the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page):
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    targets = [link or source for link, source in _TARGET.findall(text)]
    files = [
        target.partition("#")[0]
        for target in targets
        if not target.startswith(("https://", "#"))
    ]
    missing = [name for name in files if not (page.parent / name).exists()]
    assert not missing


def test_the_readme_is_short_and_begins_with_the_two_commands():
    readme = text_of("README.md")
    assert len(readme.encode()) <= MAX_README
    blocks = re.findall(r"^```bash\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert blocks[:2] == [
        "pip install -r requirements.txt && streamlit run streamlit_app.py\n",
        "pip install -r requirements-dev.txt && pytest\n",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_architecture_picture_shows_the_order_of_import(theme):
    drawing = runpy.run_path(str(REPOSITORY / "docs" / "architecture.py"))
    drawn = drawing["draw"](drawing["THEMES"][theme])
    assert text_of(f"docs/architecture-{theme}.svg") == drawn, (
        "run python docs/architecture.py"
    )


def test_the_architecture_page_names_every_package():
    page = text_of("docs/architecture.md")
    packages = {
        path.parent.name for path in REPOSITORY.glob("audiomnist/*/__init__.py")
    }
    modules = {path.stem for path in REPOSITORY.glob("audiomnist/[a-z]*.py")}
    assert packages
    assert not [name for name in sorted(packages) if f"`{name}/`" not in page]
    assert not [name for name in sorted(modules) if f"`{name}`" not in page]


def test_every_page_is_in_the_navigation():
    shown = re.findall(r": ([a-z-]+\.md)$", text_of("mkdocs.yml"), re.MULTILINE)
    assert sorted(shown) == sorted(path.name for path in REPOSITORY.glob("docs/*.md"))


def test_the_hooks_run_what_the_check_runs():
    check = text_of(".ci/check").partition('cd "$(dirname')[2].splitlines()[1:]
    hooks = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == [
        line.removesuffix(' "$@"') for line in check
    ]


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load(text_of("CITATION.cff"))
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


def test_the_image_copies_what_is_there_and_not_ignored():
    ignored = text_of(".dockerignore").splitlines()
    copies = re.findall(
        r"^COPY (?:--\S+ )*(.+) \S+$", text_of("Dockerfile"), re.MULTILINE
    )
    sources = [source for line in copies for source in line.split()]
    assert "requirements.txt" in sources
    for source in sources:
        assert (REPOSITORY / source).exists()
        assert f"!{source}" in ignored, "all is ignored but what is named"


@pytest.mark.parametrize(
    "name", sorted(p.name for p in REPOSITORY.glob("requirements*.txt"))
)
def test_each_requirement_has_an_exact_version_and_a_reason(name):
    for line in text_of(name).splitlines():
        if line and not line.startswith(("#", "-r ")):
            assert re.fullmatch(r"[a-z0-9-]+==\S+ +# \S.*", line)


@pytest.mark.parametrize(
    "name",
    [
        "audio.decoding",
        "features.extraction",
        "recognition.recognizer",
        "corpora.splits",
        "evaluation.evaluate",
    ],
)
def test_the_examples_in_docstrings_give_what_they_show(name, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    module = importlib.import_module(f"audiomnist.{name}")
    outcome = doctest.testmod(module, raise_on_error=True)
    assert outcome.attempted > 0
