"""The order of imports, who may import what, and sizes: the design, enforced."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "audiomnist"

SLOW_TO_IMPORT = {
    "altair",
    "av",
    "keras",
    "librosa",
    "matplotlib",
    "scipy",
    "seaborn",
    "sklearn",
    "soundfile",
    "soxr",
    "streamlit_webrtc",
    "tensorflow",
}
MAX_MODULE_LINES, MAX_PAGE_LINES = 400, 100

SOURCES = sorted(
    [
        *PACKAGE.rglob("*.py"),
        *(REPOSITORY / "pages").rglob("*.py"),
        REPOSITORY / "streamlit_app.py",
    ]
)


def _name(path: Path) -> str:
    """A source file's path inside the repository, with forward slashes."""
    return path.relative_to(REPOSITORY).as_posix()


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Dotted names of everything that some pieces of code import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            if node.module in ("audiomnist", "audiomnist.ui"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The code that runs on import: no function's, none for type checkers only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _run_at_import(child)


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_importing_a_module_waits_for_no_heavy_package(path):
    packages = {
        name.partition(".")[0] for name in _imports(_run_at_import(_parse(path)))
    }
    assert not packages & SLOW_TO_IMPORT


def test_importing_the_core_loads_neither_streamlit_nor_a_heavy_package():
    core = [
        _name(path).removesuffix(".py").replace("/", ".")
        for path in SOURCES
        if PACKAGE in path.parents
        and not _name(path).startswith("audiomnist/ui/")
        and not path.name.startswith("__")
    ]
    code = (
        f"import sys\nimport {', '.join(core)}\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded = set(done.stdout.split())
    assert "numpy" in loaded
    assert not loaded & (SLOW_TO_IMPORT | {"streamlit"})


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_files_stay_short_enough_to_read(path):
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    is_page = _name(path).startswith(("pages/", "streamlit_app.py"))
    assert n_lines <= (MAX_PAGE_LINES if is_page else MAX_MODULE_LINES)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_public_name_has_a_docstring(path):
    tree = _parse(path)
    assert ast.get_docstring(tree), "the module says what it owns"
    missing = [name for name, node in _definitions(tree) if not ast.get_docstring(node)]
    assert not missing


def _definitions(
    tree: ast.Module | ast.ClassDef, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """Functions and classes of a module, and the methods of its public classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not (node.name.startswith("__") and node.name.endswith("__")):
                yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield prefix + node.name, node
            yield from _definitions(node, f"{prefix}{node.name}.")


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_nothing_swallows_every_exception_or_unpickles(path):
    tree = _parse(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"
            assert ast.unparse(node.type) not in ("Exception", "BaseException")
    assert not {"pickle", "joblib", "dill", "shelve", "marshal"} & {
        name.partition(".")[0] for name in _imports(ast.walk(tree))
    }


def test_pages_have_a_folder_each():
    scripts = [_name(path) for path in (REPOSITORY / "pages").glob("*.py")]
    assert not scripts, "Streamlit takes scripts directly in pages/ for pages itself"
    assert list((REPOSITORY / "pages").glob("*/page.py"))
