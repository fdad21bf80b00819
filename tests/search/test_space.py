import optuna
import pytest

from pneumobench.authoring import registry
from pneumobench.errors import PluginError, UsageError
from pneumobench.search.space import PLUGIN, Space, canonical


@pytest.fixture
def plugins():
    return {name: registry.load(name) for name in ("thumbnail", "knobby")}


def ask(**params):
    study = optuna.create_study()
    study.enqueue_trial(params)
    return study.ask()


def test_the_plugin_is_the_first_parameter_and_prefixes_its_knobs(plugins):
    trial = ask(plugin="knobby")
    name, knobs = Space(plugins, None, {}).draw(trial)
    assert name == "knobby"
    assert list(trial.params) == [PLUGIN, "knobby.C"]
    assert knobs == {"C": trial.params["knobby.C"], "fail": "", "once": "", "seconds": 0.0}


def test_a_fixed_knob_is_not_suggested(plugins):
    trial = ask(plugin="knobby")
    _, knobs = Space(plugins, None, {"knobby": {"C": 3.0}}).draw(trial)
    assert knobs["C"] == 3.0
    assert list(trial.params) == [PLUGIN]


def test_a_study_s_space_receives_the_plugin_s_name_and_defaults(plugins):
    def space(trial, *, plugin, C):
        return {"C": trial.suggest_categorical("C", [C, 10 * C] if plugin == "knobby" else [C])}

    combinations = Space(plugins, space, {}).combinations()
    assert sorted(map(canonical, combinations)) == sorted(
        map(
            canonical,
            [
                {PLUGIN: "thumbnail", "thumbnail.C": 1.0},
                {PLUGIN: "knobby", "knobby.C": 1.0},
                {PLUGIN: "knobby", "knobby.C": 10.0},
            ],
        )
    )


def test_a_grid_follows_conditions_and_steps(plugins):
    def space(trial):
        n = trial.suggest_int("n", 1, 3, step=2)
        return {"C": sum(trial.suggest_float(f"part{i}", 0.5, 1.0, step=0.5) for i in range(n))}

    combinations = Space({"thumbnail": plugins["thumbnail"]}, space, {}).combinations()
    assert len(combinations) == 2 + 2**3
    assert len(set(map(canonical, combinations))) == len(combinations)


@pytest.mark.parametrize(
    ("space", "error", "message"),
    [
        (lambda trial: {}, UsageError, "nothing to search"),
        (lambda trial: {"CC": trial.suggest_float("CC", 0, 1)}, UsageError, "no knob named 'CC'; did you mean 'C'"),
        (lambda trial: [1], PluginError, "must be a dict of knobs"),
    ],
)
def test_an_empty_or_misspelt_space_is_found_before_anything_is_trained(space, error, message, plugins):
    with pytest.raises(error, match=message):
        Space({"thumbnail": plugins["thumbnail"]}, space, {}).parameters()


def test_a_plugin_without_a_space_is_named():
    with pytest.raises(PluginError, match="plugin 'tiny' has no space"):
        Space({"tiny": registry.load("tiny")}, None, {}).parameters()


def test_a_grid_needs_steps(plugins):
    with pytest.raises(UsageError, match=r"a grid cannot hold 'thumbnail\.C'"):
        Space(plugins, None, {}).combinations()


def test_parameters_show_conditional_ones_and_their_ranges(plugins):
    parameters = Space(plugins, None, {}).parameters()
    assert set(parameters) == {PLUGIN, "thumbnail.C", "knobby.C"}
    assert "1000.0" in parameters["thumbnail.C"]
