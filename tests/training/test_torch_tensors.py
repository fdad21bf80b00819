"""Files as torch saved them before its zip archives, made here without torch; nothing in them is run."""

import collections
import io
import pickle
import struct

import numpy as np
import pytest

from pneumobench.errors import WeightsError
from pneumobench.training.torch_tensors import MAGIC, PROTOCOL, read_tensors


class Global:
    """Pickled as a name to import."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Storage(collections.namedtuple("Storage", "kind key count")):
    """Pickled as torch's persistent id of a storage."""


class Call:
    """Pickled as a call."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments


class Pickler(pickle._Pickler):
    """Writes names and calls that cannot be imported here, as a file from elsewhere has them."""

    def persistent_id(self, value):
        return (
            ("storage", Global("torch", value.kind), value.key, "cpu", value.count, None)
            if isinstance(value, Storage)
            else None
        )

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Global):
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Call):
            self.save(value.function)
            self.save(value.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(value, save_persistent_id)


def pickled(value):
    stream = io.BytesIO()
    Pickler(stream, 2).dump(value)
    return stream.getvalue()


def tensor(key, count, start, shape, strides, kind="FloatStorage"):
    rebuild = Global("torch._utils", "_rebuild_tensor_v2")
    return Call(rebuild, Storage(kind, key, count), start, shape, strides, False, collections.OrderedDict())


def write(path, state, values):
    heads = b"".join(pickled(one) for one in (MAGIC, PROTOCOL, {"little_endian": True}, state, sorted(values)))
    bodies = b"".join(struct.pack("<q", len(values[key])) + values[key].tobytes() for key in sorted(values))
    path.write_bytes(heads + bodies)
    return path


VALUES = {"a": np.arange(12, dtype="<f4"), "b": np.array([7], "<i8")}


def state(**more):
    return {"weight": tensor("a", 12, 2, (2, 3), (1, 2)), "steps": tensor("b", 1, 0, (), (), "LongStorage"), **more}


def test_views_of_storages_are_read(tmp_path):
    tensors = read_tensors(write(tmp_path / "x.pth", state(), VALUES))
    assert tensors["weight"].tolist() == [[2, 4, 6], [3, 5, 7]]
    assert tensors["steps"] == 7
    assert tensors["weight"].flags.owndata


@pytest.mark.parametrize("where", ["value", "head"])
def test_code_is_refused_and_not_run(tmp_path, where):
    made = tmp_path / "made"
    evil = Call(Global("os", "system"), f"touch {made}")
    if where == "value":
        write(tmp_path / "x.pth", state(evil=evil), VALUES)
    else:
        (tmp_path / "x.pth").write_bytes(pickled(evil))
    with pytest.raises(
        WeightsError, match=r"x\.pth cannot be read as tensors that torch saved: it asks for os\.system"
    ):
        read_tensors(tmp_path / "x.pth")
    assert not made.exists()


@pytest.mark.parametrize(
    ("state", "values", "reason"),
    [
        ({"weight": tensor("a", 12, 8, (2, 3), (3, 1))}, {"a": VALUES["a"]}, "reaches outside its storage"),
        ({"weight": tensor("a", 12, 0, (2, 3), (-1, 1))}, {"a": VALUES["a"]}, "reaches outside its storage"),
        ({"weight": tensor("a", 12, 0, (1 << 40, 1 << 40), (0, 0))}, {"a": VALUES["a"]}, "outside its storage"),
        ({"weight": tensor("a", 12, 0, (12,), (1,))}, {"a": VALUES["a"][:5]}, "ends before its last tensor"),
        ({"weight": tensor("a", 12, 0, (12,), (1,))}, {}, "its list of storages is not that of its tensors"),
        ({"weight": 3}, {}, "it holds more than named tensors"),
        ([1, 2], {}, "it holds more than named tensors"),
    ],
)
def test_what_is_no_state_dict_is_refused(tmp_path, state, values, reason):
    with pytest.raises(WeightsError, match=reason):
        read_tensors(write(tmp_path / "x.pth", state, values))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"\x80\x02", pickle.dumps(MAGIC)])
def test_another_file_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(WeightsError) as raised:
        read_tensors(tmp_path / "x.pth")
    assert "\n" not in str(raised.value)
