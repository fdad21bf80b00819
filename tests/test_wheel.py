"""The wheel that `python -m build` makes holds all that the package needs, and works where nothing of the source is."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """By way of the source distribution, as `python -m build` does."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (made,) = folder.glob("*.whl")
    assert len(list(folder.glob("*.tar.gz"))) == 1
    return made


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """An environment with the wheel alone; its dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    (site,) = folder.glob("lib/python*/site-packages")
    others = [path for path in sys.path if path.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(others))
    return folder


def run(clean, *words, cwd):
    names = ("PNEUMOBENCH_PLUGINS", "PNEUMOBENCH_STUDIES", "PYTHONPATH")
    surroundings = {name: value for name, value in os.environ.items() if name not in names}
    command = [str(clean / "bin" / "pneumobench"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=surroundings, timeout=240)


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    sources = {path.relative_to(ROOT) for path in (ROOT / "pneumobench").rglob("*") if path.is_file()}
    wanted = {path.as_posix() for path in sources if path.suffix in (".py", ".j2", ".typed") or path.name == "py.typed"}
    for folder in ("plugins", "studies"):
        wanted |= {f"pneumobench/{folder}/{path.name}" for path in (ROOT / folder).glob("*.py")}
    assert wanted <= held, sorted(wanted - held)
    assert not any(name.startswith(("tests/", "docs/")) for name in held)


def test_it_runs_where_the_source_is_not(clean, tmp_path, phantom_folder):
    where = subprocess.run(
        [str(clean / "bin" / "python"), "-c", "import pneumobench; print(pneumobench.__file__)"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert str(clean) in where.stdout
    listed = run(clean, "plugins", cwd=tmp_path)
    assert "class_weighted" in listed.stdout, listed.stderr
    for seed in ("0", "1"):
        words = ("run", "thumbnail", "--data", str(phantom_folder), "--seed", seed, "--set", f"C={int(seed) + 1}")
        trained = run(clean, *words, cwd=tmp_path)
        assert trained.returncode == 0, trained.stderr
    assert "default" in run(clean, "study", "list", cwd=tmp_path).stdout
