"""What the release's file names tell: patients and subtypes."""

import pytest

from pneumobench.data.layouts.kermany import patient_key, subtype


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("person447_virus_921_1.jpeg", "person447_virus"),
        ("person90_bacteria_443.jpeg", "person90_bacteria"),
        ("IM-0023-0001.jpeg", "IM-0023"),
        ("NORMAL2-IM-0381-0001.jpeg", "NORMAL2-IM-0381"),
        ("NORMAL2-IM-0381-0001-0002.jpeg", "NORMAL2-IM-0381"),
        ("scan_12.png", None),
        ("person12.jpeg", None),
        ("IM-23-0001.jpeg", None),
    ],
)
def test_keys_hold_the_type_and_the_prefix(name, key):
    assert patient_key(name) == key


def test_subtypes_are_in_the_names():
    assert subtype("person1_virus_6.jpeg", 1) == "viral"
    assert subtype("person1_bacteria_1.jpeg", 1) == "bacterial"
    assert subtype("IM-0023-0001.jpeg", 0) == "normal"
    assert subtype("scan.jpeg", 1) == "unknown"
