"""The house keeps its floors: a module imports from its own floor or from below."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pneumobench

ROOT = Path(pneumobench.__file__).parent
FLOORS = {
    "errors": 0,
    "files": 0,
    "recipe": 0,
    "progress": 0,
    "provenance": 0,
    "clock": 0,
    "quiet": 0,
    "knobs": 1,
    "registry": 1,
    "shelf": 1,
    "data": 2,
    "tracking": 2,
    "training": 3,
    "evidence": 3,
    "origin": 3,
    "about": 4,
    "sources": 4,
    "fitting": 4,
    "members": 4,
    "record": 4,
    "serving": 4,
    "scaffold": 4,
    "anatomy": 4,
    "search": 4,
    "contract": 4,
    "runs": 4,
    "exported": 4,
    "eligible": 4,
    "comparing": 4,
    "report": 4,
    "explaining": 4,
    "fetch": 3,
    "audit": 3,
    "predicting": 4,
    "experiment": 4,
    "cli": 5,
    "__main__": 6,
}
MODULES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def room(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pneumobench"):
            whole = node.module == "pneumobench"
            found |= {f"pneumobench.{alias.name}" if whole else node.module for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("pneumobench")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    own = path.relative_to(ROOT).with_suffix("").parts[0]
    for module in imported(path):
        assert FLOORS[room(module)] <= FLOORS[own], f"{own} (floor {FLOORS[own]}) imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_holds_one_idea(path):
    assert len(path.read_text().splitlines()) <= 260, "a module this long holds two ideas"


def test_every_room_has_a_floor():
    rooms = {path.relative_to(ROOT).with_suffix("").parts[0] for path in MODULES}
    assert rooms - {"plugins"} == set(FLOORS)


@pytest.mark.parametrize(
    ("library", "doors"),
    [
        ("mlflow", {"tracking"}),
        ("albumentations", {"training"}),
        ("tensorflow", {"training"}),
        ("skops", {"training"}),
        ("optuna", {"search"}),
        ("ray", {"search"}),
        ("pydicom", {"data"}),
        ("pooch", {"fetch"}),
        ("imagehash", {"audit"}),
        ("kagglehub", {"fetch"}),
    ],
)
def test_a_library_has_one_door(library, doors):
    found = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == library for name in names):
                found.add(path.relative_to(ROOT).parts[0])
    assert found <= doors


@pytest.mark.slow
def test_importing_the_package_imports_nothing_heavy():
    heavy = "('tensorflow', 'keras', 'numpy', 'sklearn', 'mlflow', 'optuna', 'albumentations', 'matplotlib')"
    code = f"import sys, pneumobench; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
