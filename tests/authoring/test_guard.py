"""What a plugin raises is its own failure, with file and line; Ctrl-C and SIGTERM are not."""

import sys

import pytest

from pneumobench.authoring import registry
from pneumobench.authoring.guard import guarded
from pneumobench.authoring.knobs import call
from pneumobench.errors import PluginError, Terminated


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys\nsys.exit(0)\n", r"ends the process \(SystemExit: 0\) at leaves\.py:2"),
        ("raise SystemExit\n", r"ends the process \(SystemExit\) at leaves\.py:1"),
        ("import argparse\nargparse.ArgumentParser().parse_args(['--x'])\n", r"at leaves\.py:2"),
        ("class Odd(BaseException): pass\nraise Odd('!')\n", r"\(Odd: !\) at leaves\.py:2"),
        ("1 / 0\n", "cannot be imported: ZeroDivisionError"),
    ],
)
def test_a_plugin_that_leaves_at_import_is_named(tmp_path, monkeypatch, code, message):
    (tmp_path / "leaves.py").write_text(code)
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    monkeypatch.delitem(sys.modules, "pneumobench_folder_plugins.leaves", raising=False)
    with pytest.raises(PluginError, match=message):
        registry.load("leaves")


def test_so_is_a_hook():
    def build(*, depth=1):
        sys.exit(3)

    with pytest.raises(PluginError, match=r"the plugin's `build` ends the process \(SystemExit: 3\) at test_guard\.py"):
        call(build, knobs={"depth": 1})


@pytest.mark.parametrize("error", [KeyboardInterrupt, Terminated, ValueError])
def test_what_is_not_the_plugins_passes(error):
    with pytest.raises(error), guarded("x"):
        raise error
