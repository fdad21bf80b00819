"""Plugins as authors write them: they print, they leave, they are forests."""

import json

import pytest

pytestmark = pytest.mark.slow
CHATTY = '''"""Prints, and is a forest."""
import os
from pneumobench import Estimator
print("hello")
def build(*, trees: int = 5):
    from sklearn.ensemble import RandomForestClassifier
    print("building")
    os.write(1, b"below Python too\\n")
    return RandomForestClassifier(trees)
def space(trial): return {"trees": trial.suggest_int("trees", 2, 4)}
plugin = Estimator(build=build, space=space)
'''
LEAVES = '''"""Leaves where it is built."""
from pneumobench import Estimator
def build(*, C: float = 1.0):
    import sys
    sys.exit(0)
plugin = Estimator(build=build)
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    plugins = tmp_path / "own"
    plugins.mkdir()
    (plugins / "chatty.py").write_text(CHATTY)
    (plugins / "leaves.py").write_text(LEAVES)
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(plugins))
    return plugins


def test_what_a_plugin_prints_stays_out_of_the_json_and_its_forest_predicts(cli, folder, phantom_folder):
    own = {"PNEUMOBENCH_PLUGINS": str(folder)}
    done = cli("run", "chatty", "--data", str(phantom_folder), "--json", **own)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "building" in done.stderr
    assert cli("champion", result["run_id"], **own).returncode == 0
    predicted = cli("predict", str(phantom_folder / "test" / "NORMAL"), "--json", **own)
    assert predicted.returncode == 0, predicted.stderr
    assert all(0 <= image["probability"] <= 1 for image in json.loads(predicted.stdout)["images"])


def test_a_plugin_that_leaves_fails_in_one_line_with_its_line(cli, folder, phantom_folder):
    done = cli("run", "leaves", "--data", str(phantom_folder), PNEUMOBENCH_PLUGINS=str(folder))
    assert done.returncode == 1
    assert "ends the process (SystemExit: 0) at leaves.py:5" in done.stderr.splitlines()[-1]
