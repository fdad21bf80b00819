import numpy as np
import pytest

from pneumobench.data.patients import identify, patient_key, subtype


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


def test_subtypes_stand_in_the_names():
    assert subtype("person1_virus_6.jpeg", 1) == "viral"
    assert subtype("person1_bacteria_1.jpeg", 1) == "bacterial"
    assert subtype("IM-0023-0001.jpeg", 0) == "normal"
    assert subtype("scan.jpeg", 1) == "unknown"


def test_two_keys_with_an_identical_file_are_one_patient():
    names = ["NORMAL2-IM-0095-0001.jpeg", "NORMAL2-IM-0096-0001.jpeg", "NORMAL2-IM-0096-0002.jpeg", "x.png", "y.png"]
    patients, unmatched = identify(names, np.array(["aa", "aa", "bb", "cc", "cc"]))
    assert list(patients[:3]) == ["NORMAL2-IM-0095"] * 3
    assert patients[3] == patients[4], "identical files stay together though no rule matches their names"
    assert unmatched == 2


def test_an_image_without_a_key_is_its_own_patient():
    patients, unmatched = identify(["a.png", "b.png"], np.array(["aa", "bb"]))
    assert patients[0] != patients[1]
    assert unmatched == 2
