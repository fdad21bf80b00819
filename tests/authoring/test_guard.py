"""What a plugin raises is its own failure, with file and line; Ctrl-C and SIGTERM are not."""

import os
import signal
import sys
import warnings

import numpy as np
import pytest

from pneumobench.authoring import registry
from pneumobench.authoring.guard import guarded
from pneumobench.authoring.knobs import call
from pneumobench.errors import PluginError, Terminated, one_line


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


def recurse():
    return recurse()


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class UnknownError(Exception):
    pass


def fail(error):
    raise error


@pytest.mark.parametrize(
    ("what", "kind", "line"),
    [
        (lambda: 1 / 0, ZeroDivisionError, "ZeroDivisionError: division by zero (plugin x, test_guard.py:"),
        (recurse, RecursionError, "RecursionError: maximum recursion depth exceeded (plugin x, test_guard.py:"),
        (lambda: fail(MuteError()), MuteError, "MuteError: (its text cannot be had: RuntimeError) (plugin x, "),
        (lambda: fail(UnknownError()), UnknownError, "UnknownError (plugin x, test_guard.py:"),
        (lambda: fail(ValueError("a\nb")), ValueError, "ValueError: a b (plugin x, test_guard.py:"),
        (lambda: fail(ExceptionGroup("many", [ValueError()])), ExceptionGroup, "ExceptionGroup: many (1 sub-ex"),
    ],
)
def test_an_ordinary_exception_keeps_its_type_and_names_its_line(what, kind, line):
    with pytest.raises(kind) as caught, guarded("plugin x"):
        what()
    assert one_line(caught.value).startswith(line)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (lambda: os._exit(0), r"plugin x ends the process \(SystemExit: 0\) at test_guard\.py"),
        (lambda: fail(EOFError()), "plugin x reads standard input at test_guard.py:"),
    ],
)
def test_what_would_end_the_process_is_the_plugins_failure(what, message):
    with pytest.raises(PluginError, match=message), guarded("plugin x"):
        what()


def test_a_forked_child_may_still_leave():
    with guarded("plugin x"):
        if not (child := os.fork()):
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def change_folder():
    os.chdir("/")


def close_streams():
    sys.stdout.close()
    sys.stderr.close()


def replace_streams():
    sys.stdout = sys.stderr = None


def shorten_lists():
    sys.argv[:] = ["other"]
    sys.path.clear()


def empty_environment():
    os.environ.clear()
    os.environ["PNEUMOBENCH_DATA"] = "/elsewhere"


def ignore_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def raise_warnings():
    warnings.simplefilter("error")


def raise_floats():
    np.seterr(all="raise")


def state():
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    return [
        *(os.getcwd(), sys.stdout, sys.stderr, list(sys.argv), set(sys.path), dict(os.environ), handlers),
        *(list(warnings.filters), np.geterr(), os._exit),
    ]


KINDS = [change_folder, close_streams, replace_streams, shorten_lists, empty_environment, ignore_signals]


@pytest.mark.parametrize("change", [*KINDS, raise_warnings, raise_floats])
@pytest.mark.parametrize("fails", [False, True])
def test_what_it_changed_for_the_process_is_restored(change, fails):
    before = state()
    try:
        with guarded("plugin x"):
            change()
            if fails:
                raise ValueError
    except ValueError:
        assert fails
    assert state() == before
    assert not sys.stdout.closed
    assert not sys.stderr.closed


def test_its_folder_on_the_path_and_its_own_variables_stay(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("LIBRARY_HOME", raising=False)
    with guarded("plugin x"):
        sys.path.insert(0, "/own")
        os.environ["LIBRARY_HOME"] = "/own"
    assert sys.path[0] == os.environ.pop("LIBRARY_HOME") == "/own"
