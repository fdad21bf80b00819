from dataclasses import replace
from typing import Literal

import pytest

from pneumobench import Ensemble, Recipe, View
from pneumobench.authoring import knobs
from pneumobench.errors import PluginError, UsageError


def build(shape, *, dropout: float = 0.5, members=("a", "b"), wide=False, kind: Literal["x", "y"] = "x"):
    return shape, dropout


plugin = Recipe(build=build)


def test_knobs_are_the_keyword_only_arguments_of_all_hooks():
    assert {"dropout", "members", "wide", "kind", "epochs", "learning_rate"} == set(knobs.knobs_of(plugin))


def test_strings_are_converted_to_the_type_of_the_default():
    values = knobs.resolve(plugin, {"dropout": "0.25", "members": "c, d", "wide": "yes", "epochs": "3"})
    assert values["dropout"] == 0.25
    assert values["members"] == ("c", "d")
    assert values["wide"] is True
    assert values["epochs"] == 3
    assert knobs.resolve(plugin, {"dropout": 1})["dropout"] == 1.0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dropuot": "1"}, "no knob named 'dropuot'; did you mean 'dropout'"),
        ({"epochs": "many"}, "takes a whole number .default 5., not 'many'"),
        ({"epochs": "2.5"}, "takes a whole number"),
        ({"wide": "perhaps"}, "takes true or false"),
        ({"kind": "z"}, "takes one of x, y, not 'z'"),
        ({"epochs": True}, "takes a whole number"),
    ],
)
def test_an_invalid_knob_is_refused_with_the_rule_the_value_and_the_choices(wrong, message):
    with pytest.raises(UsageError, match=message):
        knobs.resolve(plugin, wrong)


def test_defaults_of_a_variant_override_the_signature():
    assert knobs.resolve(replace(plugin, defaults={"dropout": 0.1}), {})["dropout"] == 0.1
    with pytest.raises(PluginError, match="`defaults`: no knob named 'drop'"):
        knobs.knobs_of(replace(plugin, defaults={"drop": 0.1}))


def test_two_hooks_agree_on_a_default():
    with pytest.raises(PluginError, match=r"knob 'dropout' has the default 0\.5 in one hook and 0\.4"):
        knobs.knobs_of(replace(plugin, view=lambda *, dropout=0.4: View(8, 8)))


def test_a_hook_is_given_the_knobs_that_it_takes():
    assert knobs.call(build, (1,), knobs={"dropout": 0.1, "epochs": 5}) == ((1,), 0.1)
    assert knobs.value_of(lambda *, size=8: View(size, size), {"size": 9, "epochs": 5}) == View(9, 9)
    assert knobs.value_of(View(8, 8), {}) == View(8, 8)


def test_assignments_are_split_at_the_first_equals_sign():
    assert knobs.parse(["weights=a=b", " epochs = 3"]) == {"weights": "a=b", "epochs": "3"}
    with pytest.raises(UsageError, match="takes knob=value, not 'epochs'"):
        knobs.parse(["epochs"])


def listed(
    *,
    widths: list[int] = [1, 2],  # noqa: B006
    sizes: tuple[float, ...] = (0.5,),
    C: float | None = None,
    names: tuple[str, ...] = ("a",),
):
    return None


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("widths", "3,4", (3, 4)),
        ("sizes", "1,2.5", (1.0, 2.5)),
        ("C", "none", None),
        ("C", None, None),
        ("C", "0.5", 0.5),
        ("names", "x, y", ("x", "y")),
        ("widths", (5,), (5,)),
    ],
)
def test_items_of_lists_are_converted_and_none_is_allowed_where_declared(name, text, value):
    assert knobs.resolve(Recipe(build=listed), {name: text})[name] == value


def test_resolving_is_idempotent():
    plugin = Recipe(build=listed)
    assert knobs.resolve(plugin, knobs.resolve(plugin, {})) == knobs.resolve(plugin, {})


def test_annotations_that_do_not_resolve_are_ignored():
    def build(shape, *, width: "numpy_like.Array" = 3, depth: int = 2) -> "keras.Model":  # noqa: F821
        return None

    by_name = knobs.knobs_of(Recipe(build=build))
    assert (by_name["width"].type, by_name["depth"].type) == (int, int)


def test_an_ensembles_defaults_are_checked():
    with pytest.raises(PluginError, match=r"`defaults`: no knob named 'thumbnail\.CC'; did you mean 'thumbnail\.C'"):
        knobs.knobs_of(Ensemble("thumbnail", defaults={"thumbnail.CC": 5.0}))


def test_a_default_that_a_hook_changes_is_told_and_stays(tmp_path):
    def build(*, units: list[int] = [1]):  # noqa: B006
        units.append(2)

    plugin = Recipe(build=build)
    with pytest.raises(PluginError, match=r"changes the value of knob 'units', \[1\], into \[1, 2\]"):
        knobs.call(build, knobs=knobs.resolve(plugin, {}))
    assert knobs.resolve(plugin, {})["units"] == [1]
