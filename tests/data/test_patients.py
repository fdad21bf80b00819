"""Patients: their keys, united where files are identical."""

import numpy as np

from pneumobench.data.patients import identify


def test_two_keys_with_an_identical_file_are_one_patient():
    keys = ["NORMAL2-IM-0095", "NORMAL2-IM-0096", "NORMAL2-IM-0096", None, None]
    patients, unmatched = identify(keys, np.array(["aa", "aa", "bb", "cc", "cc"]))
    assert list(patients[:3]) == ["NORMAL2-IM-0095"] * 3
    assert patients[3] == patients[4], "identical files stay together though they have no key"
    assert unmatched == 2


def test_an_image_without_a_key_is_its_own_patient():
    patients, unmatched = identify([None, None], np.array(["aa", "bb"]))
    assert patients[0] != patients[1]
    assert unmatched == 2
