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
RUDE = '''"""Changes whatever it can."""
import os, sys, warnings
from pneumobench import Estimator
os.chdir("/")
sys.path.clear()
sys.argv[:] = ["other"]
def build(*, C: float = 1.0):
    from sklearn.linear_model import LogisticRegression
    warnings.simplefilter("error")
    os.write(1, b"below Python\\n")
    print("dunder", file=sys.__stdout__, flush=True)
    sys.stdin.readline()
    sys.stdout.close()
    sys.stderr.close()
    os.environ.clear()
    return LogisticRegression(C=C)
def space(trial): return {"C": trial.suggest_float("C", 0.1, 1)}
plugin = Estimator(build=build, space=space)
'''
STUDY = '''"""Of the rude one."""
from pneumobench import Study
study = Study(plugins=("rude",))
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    plugins = tmp_path / "own"
    plugins.mkdir()
    (plugins / "chatty.py").write_text(CHATTY)
    (plugins / "leaves.py").write_text(LEAVES)
    (plugins / "rude.py").write_text(RUDE)
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "rude.py").write_text(STUDY)
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


def test_a_rude_plugin_harms_neither_the_json_nor_a_workers_protocol_nor_the_end(pneumobench, folder, phantom_folder):
    own = {"PNEUMOBENCH_PLUGINS": str(folder), "PNEUMOBENCH_STUDIES": str(folder.parent / "studies")}
    done = pneumobench("run", "rude", "--data", str(phantom_folder), "--no-test", "--json", **own)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["plugin"] == "rude"
    done = pneumobench("study", "rude", "--trials", "2", "--data", str(phantom_folder), "--json", **own)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["states"]["complete"] == 2
