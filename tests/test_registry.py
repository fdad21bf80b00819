import subprocess
import sys

import pytest

from pneumobench import Estimator, Recipe, registry
from pneumobench.errors import PluginError, UsageError


def test_built_in_and_dropped_in_plugins_enter_by_one_door():
    found = registry.entries()
    assert found["baseline"].origin == "built-in"
    assert found["tiny"].summary == "A network that trains in a blink, for tests."
    assert isinstance(registry.load("tiny"), Recipe)
    assert isinstance(registry.load("thumbnail"), Estimator)


def test_a_typo_is_answered_with_the_nearest_name():
    with pytest.raises(UsageError, match="no plugin named 'baselin'; did you mean 'baseline'"):
        registry.find("baselin")


def test_a_broken_plugin_hurts_only_itself():
    assert registry.entries()["broken"].summary
    with pytest.raises(PluginError, match=r"plugin 'broken' .*No module named 'no_such_module'"):
        registry.load("broken")


def test_what_cannot_be_parsed_is_listed_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "torn.py").write_text("def (")
    (tmp_path / "empty.py").write_text("")
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    assert "cannot be read" in registry.entries()["torn"].summary
    with pytest.raises(PluginError, match="must hold a value named `plugin`"):
        registry.load("empty")


def test_two_plugins_of_one_name_are_both_named(tmp_path, monkeypatch):
    (tmp_path / "baseline.py").write_text("")
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    with pytest.raises(UsageError, match=r"two plugins are named 'baseline'.*baseline\.py.*baseline\.py"):
        registry.entries()


@pytest.mark.slow
def test_listing_imports_no_plugin_and_no_heavy_library():
    code = (
        "import sys; from pneumobench import registry; [e.summary for e in registry.entries().values()];"
        "print([m for m in ('tensorflow', 'keras', 'sklearn', 'mlflow', 'pneumobench.plugins.baseline') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
