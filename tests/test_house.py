"""The house's rules that import-linter does not see; its own are in pyproject.toml (`poe imports`)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pneumobench

ROOT = Path(pneumobench.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
AUTHORED = sorted(path for folder in ("plugins", "studies") for path in (ROOT.parent / folder).glob("*.py"))
HEAVY = {"tensorflow", "jax", "keras", "numpy", "scipy", "sklearn", "mlflow", "optuna", "albumentations", "matplotlib"}


def test_the_top_of_the_package_is_seen_at_a_glance():
    entries = [entry.name for entry in ROOT.iterdir() if entry.name != "__pycache__"]
    assert len(entries) <= 16, sorted(entries)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_holds_one_idea(path):
    assert len(path.read_text().splitlines()) <= 250, "a module this long holds two ideas"


@pytest.mark.parametrize("path", AUTHORED, ids=lambda path: path.relative_to(ROOT.parent).as_posix())
def test_what_authors_write_imports_what_any_author_may(path):
    """Plugins and studies use the package's public names and other plugins, as a third party's do."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pneumobench":
            assert node.module == "pneumobench" or node.module.startswith("pneumobench.plugins"), ast.unparse(node)
            if node.module == "pneumobench":
                assert {alias.name for alias in node.names} <= {*pneumobench.__all__, "plugins"}, ast.unparse(node)
        elif isinstance(node, ast.Import):
            inner = [alias.name for alias in node.names if alias.name.startswith("pneumobench.")]
            assert all(name.startswith("pneumobench.plugins") for name in inner), ast.unparse(node)


@pytest.mark.parametrize("module", ["pneumobench", "pneumobench.cli"])
def test_importing_it_imports_nothing_heavy(module):
    code = f"import sys, {module}; print(*sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
