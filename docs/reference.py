"""MkDocs hook: the reference pages, made from the docstrings of every module.

Walks audiomnist/, so a new module has its page without an edit here. Also keeps the
site free of anything that a browser would fetch from another server.
"""

import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = "audiomnist"

_FETCHED = re.compile(
    r"<(?:script|link|img|source|iframe)\b[^>]*(?:src|href)=\"?https?:"
)
_REFERENCE = re.compile(r"^\.\. \[(\d)\] (.+(?:\n   \S.*)*)", re.MULTILINE)
_MARK = re.compile(r"\[(\d)\]_")


def modules() -> list[str]:
    """Dotted names of the package, its packages and its modules, in order."""
    names = []
    for path in sorted((REPOSITORY / PACKAGE).rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if not parts[-1].startswith("_"):
            names.append(".".join(parts))
    return sorted(names, key=lambda name: name.split("."))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the reference pages at the end of the navigation, a section a package."""
    sections: dict[str, list[dict[str, str]]] = {}
    for name in modules():
        parts = name.split(".")
        package = parts[1] if len(parts) > 2 or _is_package(name) else ""
        title = PACKAGE if name == PACKAGE else parts[-1]
        sections.setdefault(package, []).append({title: _place(name)})
    alone = sections.pop("")
    packages: list[Any] = [{name: pages} for name, pages in sections.items()]
    assert config.nav is not None, "mkdocs.yml has a navigation"
    config.nav.append({"Reference": [*alone, *packages]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each module."""
    for name in modules():
        content = f"# `{name}`\n\n::: {name}\n"
        files.append(File.generated(config, _place(name), content=content))
    return files


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would make the browser ask another server for something."""
    if fetched := _FETCHED.search(output):
        raise PluginError(
            f"{page.file.src_uri} would fetch a file from another server: "
            f"{fetched[0]}. Put the file into docs/."
        )
    return output


class References(griffe.Extension):
    """Make Markdown of numpydoc's references, which the parser leaves as they are."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Put each reference on one line, and write its mark as [1]."""
        if obj.docstring:
            text = _REFERENCE.sub(_on_one_line, obj.docstring.value)
            obj.docstring.value = _MARK.sub(r"\[\1\]", text)


def _on_one_line(reference: re.Match[str]) -> str:
    """A reference without the marks of reStructuredText."""
    return f"\\[{reference[1]}\\] {' '.join(reference[2].split())}"


def _is_package(name: str) -> bool:
    """Whether a dotted name below the root is that of a folder."""
    return name != PACKAGE and (REPOSITORY / name.replace(".", "/")).is_dir()


def _place(name: str) -> str:
    """Where the page of a module is, from docs/ on."""
    return f"reference/{name}.md"
