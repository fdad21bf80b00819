"""What a study could not draw is told of a space before any trial."""

import pytest

from pneumobench import Recipe
from pneumobench.authoring import spaces
from pneumobench.errors import PluginError


def build(shape, *, a: str = "x", b: str = "x", c: float = 0.1): ...


def dynamic(trial):
    a = trial.suggest_categorical("a", ["x", "y"])
    return {"a": a, "b": trial.suggest_categorical("b", ["x", "y"] if a == "x" else ["z"])}


def of_two_kinds(trial):
    a = trial.suggest_categorical("a", ["x", "y"])
    return {"c": trial.suggest_float("c", 0.1, 1) if a == "x" else float(trial.suggest_int("c", 1, 3))}


def of_two_scales(trial):
    a = trial.suggest_categorical("a", ["x", "y"])
    return {"c": trial.suggest_float("c", 0.1, 1, log=a == "x")}


def rare(trial):
    a = trial.suggest_categorical("a", [*"abcdefghijklmnopqrstuvwxyz" * 3, "rare"])
    return {"b": trial.suggest_categorical("b", ["z"] if a == "rare" else ["x"])}


@pytest.mark.parametrize(
    ("space", "why"),
    [
        (dynamic, "'b' one of"),
        (of_two_kinds, "numbers"),
        (of_two_scales, "log"),
        (rare, "'b' one of"),
        (lambda trial: {"a": trial.suggest_categorical("a", [(1, 2), (3, 4)])}, r"the choice \(1, 2\)"),
        (lambda trial: {"a": trial.suggest_categorical("a", [])}, "the choice none"),
        (lambda trial: {"c": trial.suggest_float("c", 0.0, 1, log=True)}, "log one from above 0"),
        (lambda trial: {"c": trial.suggest_float("c", 2, 1)}, "a range goes up"),
    ],
)
def test_what_a_study_could_not_draw_is_told(space, why):
    with pytest.raises(PluginError, match=why):
        spaces.check(Recipe(build=build, space=space))


def test_bounds_may_depend_on_another_choice():
    def space(trial):
        a = trial.suggest_categorical("a", ["x", "y"])
        return {"a": a, "c": trial.suggest_float("c", 0.1, 0.5 if a == "x" else 0.9)}

    assert set(spaces.check(Recipe(build=build, space=space))) == {"a", "c"}
