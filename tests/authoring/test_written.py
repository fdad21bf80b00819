import functools
import linecache
import sys
from dataclasses import replace
from types import ModuleType

import pytest

from pneumobench import Ensemble, Recipe, View, balanced
from pneumobench.authoring import cells, registry, replaced
from pneumobench.errors import PluginError, UsageError
from pneumobench.plugins.baseline import plugin as baseline


@pytest.fixture
def cell(monkeypatch):
    """Runs source as a notebook's cell does: in a module of its own, with its lines in the line cache."""
    module = ModuleType("notebook_of_tests")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(cells, "HOME", module.__name__)
    numbers = iter(range(100))

    def run(source):
        name = f"<ipython-input-{next(numbers)}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), vars(module))
        return module

    yield run
    for name in [name for name in linecache.cache if name.startswith("<ipython-input-")]:
        del linecache.cache[name]


@pytest.fixture
def kept(tmp_path):
    before = dict(replaced.FILES)
    yield tmp_path / "plugins"
    replaced.FILES.clear()
    replaced.FILES.update(before)


def loaded(plugin, name, folder):
    assert cells.named(plugin, name, folder) == name
    return registry.load(name)


def test_a_variant_of_a_plugin_is_the_same_when_its_file_is_loaded(kept):
    mine = replace(baseline, weigh=balanced, view=View(64, 32, channels=1), defaults={"dropout": 0.1})
    assert loaded(mine, "mine", kept) == mine
    assert registry.find("mine").summary == "Plugin mine, as it was defined in a notebook."
    assert "Recipe(" in (kept / "mine.py").read_text()


def test_an_ensemble_is_written_too(kept):
    assert loaded(Ensemble("baseline", "thumbnail"), "both", kept) == Ensemble("baseline", "thumbnail")


def test_what_a_cells_function_uses_comes_with_it(cell, kept):
    cell("import numpy as np\nfrom functools import lru_cache\nPOWER = 2\nRATES = {'a': (0.5, [1, None])}\n")
    cell("def root(x):\n    '''A helper.'''\n    return np.sqrt(x) if x > 1 else root(x + RATES['a'][0])\n")
    module = cell("def weigh(labels, power=POWER):\n    return np.ones(len(labels)) * root(4.0) ** power\n")
    plugin = loaded(replace(baseline, weigh=module.weigh), "mine", kept)
    assert plugin.weigh is not module.weigh
    assert plugin.weigh([0, 1]).tolist() == module.weigh([0, 1]).tolist() == [4, 4]
    text = (kept / "mine.py").read_text()
    assert text.index("def root") < text.index("def weigh")
    assert "lru_cache" not in text, "what is not used"


def test_classes_decorators_and_partial_functions_are_written(cell, kept):
    module = cell(
        "import functools\n"
        "class Weights:\n    factor = 3\n    def of(self, labels):\n        return [self.factor for _ in labels]\n"
        "def doubled(function):\n    def both(labels, offset):\n"
        "        return [2 * x + offset for x in function(labels)]\n"
        "    return functools.wraps(function)(both)\n"
        "@doubled\ndef weigh(labels):\n    return Weights().of(labels)\n"
    )
    plugin = loaded(replace(baseline, weigh=functools.partial(module.weigh, offset=1)), "mine", kept)
    assert plugin.weigh([0, 1]) == [7, 7]


def test_a_cell_that_is_run_again_replaces_the_plugin_of_its_name(cell, kept):
    first = cell("def weigh(labels):\n    return 1\n").weigh
    assert loaded(replace(baseline, weigh=first), "mine", kept).weigh([]) == 1
    second = cell("def weigh(labels):\n    return 2\n").weigh
    assert loaded(replace(baseline, weigh=second), "mine", kept).weigh([]) == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("weigh = lambda labels: 1", "is a lambda, whose source is not to be had"),
        ("import io\nfile = io.StringIO()\ndef weigh(labels):\n    return file\n", "`file`, which weigh uses, is a"),
        (
            "def make():\n    def inner(labels):\n        return 1\n    return inner\nweigh = make()",
            "define it with `def`",
        ),
    ],
)
def test_what_no_file_can_hold_is_refused_by_name(cell, kept, source, message):
    with pytest.raises(PluginError, match=message):
        cells.named(replace(baseline, weigh=cell(source).weigh), "mine", kept)
    assert not kept.exists()


@pytest.mark.parametrize(
    ("plugin", "name", "message"),
    [
        (baseline, None, 'takes a name: run\\(plugin, name="mine"\\)'),
        (baseline, "residual", "already exists"),
        (baseline, "not a name", "valid module name"),
        (baseline, "numpy", "valid module name"),
        ("baseline", "mine", "keeps it"),
    ],
)
def test_names(kept, plugin, name, message):
    with pytest.raises(UsageError, match=message):
        cells.named(plugin, name, kept)


def test_an_infinite_number_is_one(kept):
    plugin = Recipe(build=baseline.build, defaults={"dropout": float("inf")})
    assert loaded(plugin, "mine", kept) == plugin
