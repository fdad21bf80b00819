"""A verb of the library is its command: the same options, defaults and words."""

import inspect

import pytest
import typer

import pneumobench
from pneumobench.cli import app
from pneumobench.data.options import DataOptions
from pneumobench.training.options import TrainOptions
from pneumobench.utils.described import by_name, described, texts

# what a command has for the terminal alone, or says in other words
OF_THE_TERMINAL = {"as_json", "plugins_dir", "studies_dir"}
SEVERAL = ("all_plugins", "plugins_from", "workers", "engine", "address", "html")
OTHERWISE = {
    "run": {"from_study", "storage", "plugins", *SEVERAL},  # become `origin`, `plugin`, and the verb `run_all`
    "run_all": {"from_study", "storage", "engine", "address", "html"},  # become `workers`, and the verb `compare`
    "study": {"name", "called", "engine", "address"},  # become `file`, `name` and `workers`
}
OTHER_DEFAULTS = {"seed", "keep_models", "name"}  # texts or None on the command line, and which name it is
EMPTY = (None, (), [], "")


def command(name):
    group = typer.main.get_command(app)
    found = group.commands["run" if name == "run_all" else name]
    return found.commands["search"] if name == "study" else found


@pytest.mark.parametrize("name", ["run", "run_all", "study", "compare", "external", "stress", "plan"])
def test_a_verb_has_the_options_of_its_command(name):
    verb = inspect.signature(getattr(pneumobench, name)).parameters
    options = {one.name: one for one in command(name).params if one.name != "help"}
    missing = set(options) - set(verb) - OF_THE_TERMINAL - OTHERWISE.get(name, set())
    assert missing == set()
    for option, found in options.items():
        required = option in verb and verb[option].default is inspect.Parameter.empty
        if option in verb and not required and option not in OTHER_DEFAULTS:
            own, other = verb[option].default, found.default
            assert own == other or (own in EMPTY and other in EMPTY), (option, own, other)


@pytest.mark.parametrize(("name", "kinds"), [("run", (DataOptions, TrainOptions)), ("external", (DataOptions,))])
def test_help_says_what_the_command_says(name, kinds):
    text = inspect.getdoc(getattr(pneumobench, name))
    options = {one.name: one for one in command(name).params}
    for kind in kinds:
        for option, meaning in texts(kind).items():
            if option != "data":
                assert f"- `{option}` (" in text
                assert meaning in text
            if option in options and option not in ("data", "seed"):
                assert options[option].help == meaning


def test_every_field_of_the_options_says_what_it_means():
    for kind in (DataOptions, TrainOptions):
        assert list(texts(kind)) == list(kind.__dataclass_fields__)


def test_a_verb_called_by_name_is_the_verb():
    from dataclasses import dataclass

    @dataclass
    class Options:
        size: int = described(3, "How large.")

    @by_name(Options)
    def verb(first, *, size=None, **options):
        """One sentence."""
        return first, size, options

    assert list(inspect.signature(verb).parameters) == ["first", "size"]
    assert verb(1, other=2) == (1, None, {"other": 2})
    assert verb.__doc__.startswith("One sentence.")


def test_values_of_every_verb_show_themselves():
    from pneumobench.comparison.answer import Answer
    from pneumobench.comparison.plan import Plan
    from pneumobench.comparison.site_result import SiteResult, Sites
    from pneumobench.comparison.stress_result import StressResult
    from pneumobench.experiment.result import Result
    from pneumobench.search.outcome import Outcome
    from pneumobench.utils.shown import Shown

    for kind in (Answer, Plan, SiteResult, Sites, StressResult, Result, Outcome):
        assert issubclass(kind, Shown)
        for method in ("headline", "parts", "records"):
            assert getattr(kind, method) is not getattr(Shown, method), (kind, method)
        assert callable(kind.plot)
        assert kind.__repr__ is Shown.__repr__
