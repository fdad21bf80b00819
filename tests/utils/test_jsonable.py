"""One way from values to JSON: order kept, no NaN, nothing of NumPy left."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pneumobench.utils.jsonable import to_json

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@dataclass
class Inner:
    z: float
    a: tuple[int, ...]


@dataclass(frozen=True)
class Outer:
    inner: Inner
    path: Path
    table: MappingProxyType


class Own:
    def __json__(self):
        return {"second": Inner(1.0, ()), "first": float("nan")}


@given(PLAIN)
def test_what_json_knows_stays_as_it_is(value):
    assert to_json(value) == value
    assert json.dumps(to_json(value)) == json.dumps(value)


def test_dataclasses_become_their_fields_in_their_order():
    value = Outer(Inner(2.0, (1, 2)), Path("a/b"), MappingProxyType({"n": Inner(0.5, ())}))
    expected = '{"inner": {"z": 2.0, "a": [1, 2]}, "path": "a/b", "table": {"n": {"z": 0.5, "a": []}}}'
    assert json.dumps(to_json(value)) == expected


def test_a_class_may_say_itself_what_it_is():
    assert json.dumps(to_json([Own()])) == '[{"second": {"z": 1.0, "a": []}, "first": null}]'


def test_numbers_of_numpy_become_python_s_and_what_is_not_finite_none():
    value = {
        "int": np.int64(3),
        "float": np.float32(0.5),
        "bool": np.bool_(True),
        "text": np.str_("a"),
        "array": np.array([[1.0, np.nan], [np.inf, 2.0]]),
        "set": {"b", "a"},
    }
    assert json.loads(json.dumps(to_json(value), allow_nan=False)) == {
        "int": 3,
        "float": 0.5,
        "bool": True,
        "text": "a",
        "array": [[1.0, None], [None, 2.0]],
        "set": ["a", "b"],
    }


def test_what_it_does_not_know_is_left_to_the_caller():
    thing = object()
    assert to_json([thing]) == [thing]
    assert to_json(Inner) is Inner
