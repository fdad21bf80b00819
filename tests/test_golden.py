"""What must not change without being said: recorded figures, formats, pixels, spaces and options, in `golden/`.

`python -m tests.test_golden` in the repository's root records them anew; a commit that changes one says why.
"""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from pneumobench.authoring.recipe import View
from pneumobench.cli import app
from pneumobench.data.decode import decode
from pneumobench.data.layouts import phantom
from pneumobench.data.load import load_folder
from pneumobench.data.lockbox import Ledger, Look
from pneumobench.search.plan import make_plan
from pneumobench.tracking import export

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"


def of_command(*words: str) -> Any:
    command = [sys.executable, "-m", "pneumobench", *words, "--from", str(ROOT / "results"), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)


def of_phantom() -> dict[str, str]:
    found = load_folder(phantom.ensure())
    pixels = [decode(found.root / str(path), View(64, 64, channels=1)) for path in found.paths[:: len(found) // 20]]
    return {
        "fingerprint": found.fingerprint,
        "pixels": hashlib.blake2b(np.stack(pixels).tobytes(), digest_size=16).hexdigest(),
    }


def of_spaces() -> dict[str, dict[str, str]]:
    """What each built-in study is bound to, apart from its images and the plugins' source."""
    return {name: make_plan(name).parameters for name in ("default", "ablation", "transfer")}


def of_options() -> dict[str, Any]:
    """Every command's options and arguments with their defaults."""

    def walk(command: Any, name: str) -> dict[str, Any]:
        found = {
            name: {
                "/".join([*parameter.opts, *parameter.secondary_opts]): json.loads(
                    json.dumps(parameter.default, default=str)
                )
                for parameter in command.params
            }
        }
        for own, inner in getattr(command, "commands", {}).items():
            found |= walk(inner, f"{name} {own}".strip())
        return found

    return walk(typer.main.get_command(app), "")


def of_formats(folder: Path) -> dict[str, Any]:
    """A ledger's line, and the card of an exported run that was read and written again."""
    look = Look("2026-01-02T03:04:05+00:00", "pneumobench run x", "x", "abc", "none", "f", "d", "i", "u")
    ledger = Ledger(folder)
    ledger.append(look)
    run = min(export.read(ROOT / "results"), key=lambda run: run.run_id)
    written = export.write(run, folder)
    return {
        "ledger": ledger.path.read_text(),
        "folder": written.name,
        "files": sorted(path.name for path in written.iterdir()),
        "card": json.loads((written / "run.json").read_text()),
    }


def recorded(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def same(one: Any, other: Any, place: str = "") -> None:
    """Figures agree to 1e-6, all else exactly."""
    if isinstance(other, dict):
        assert isinstance(one, dict), place
        assert list(one) == list(other), place
        for key in other:
            same(one[key], other[key], f"{place}/{key}")
    elif isinstance(other, list):
        assert isinstance(one, list), place
        assert len(one) == len(other), place
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            same(a, b, f"{place}/{number}")
    elif isinstance(other, float) and isinstance(one, (int, float)):
        assert math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6), f"{place}: {one} was {other}"
    else:
        assert one == other, place


def test_the_phantom_has_the_same_images_and_pixels():
    assert of_phantom() == recorded("phantom")


def test_studies_are_bound_to_the_same_spaces():
    assert of_spaces() == recorded("spaces")


def test_commands_have_the_same_options_and_defaults():
    assert of_options() == recorded("options")


def test_the_ledger_and_exported_runs_keep_their_format(tmp_path):
    assert of_formats(tmp_path) == recorded("formats")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["compare", "runs"])
def test_every_figure_of_the_results_is_as_it_was(command):
    same(of_command(command), recorded(command))


def record() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found = {
            "phantom": of_phantom(),
            "spaces": of_spaces(),
            "options": of_options(),
            "formats": of_formats(Path(folder)),
            "compare": of_command("compare"),
            "runs": of_command("runs"),
        }
    for name, value in found.items():
        (GOLDEN / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    record()
