import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pneumobench.data import split
from pneumobench.data.dataset import Dataset
from pneumobench.errors import DataError, UsageError


def made(labels, patients, origins, hashes=None):
    """A dataset without files: the split reads arrays alone."""
    n = len(labels)
    hashes = hashes or [f"{i:032x}" for i in np.random.default_rng(1).permutation(n)]
    return Dataset(
        root=None,
        name="made",
        paths=np.array([f"{i}.jpeg" for i in range(n)]),
        labels=np.array(labels, np.int8),
        patients=np.array(patients),
        keys=np.array(patients),
        subtypes=np.array(["viral" if y else "normal" for y in labels]),
        origins=np.array(origins),
        hashes=np.array(hashes),
    )


@st.composite
def datasets(draw):
    """Two classes, one to five images a patient, at least two training and one test patient a class."""
    labels, patients, origins = [], [], []
    for origin, fewest in (("train", 2), ("val", 0), ("test", 1)):
        for label in (0, 1):
            for index in range(draw(st.integers(fewest, 12))):
                images = draw(st.integers(1, 5))
                labels += [label] * images
                patients += [f"{origin}-{label}-{index}"] * images
                origins += [origin] * images
    return made(labels, patients, origins)


@settings(deadline=None, max_examples=60)
@given(datasets(), st.integers(0, 2**32 - 1), st.sampled_from(["patient", "official"]))
def test_a_split_divides_the_development_side_by_whole_patients(data, seed, policy):
    try:
        development, lockbox = split.split(data, policy=policy, seed=seed)
    except DataError as error:  # a val folder that lacks a class leaves nothing to validate on
        assert policy == "official"
        assert "for validation" in str(error)  # noqa: PT017
        return
    training, validation = development.training, development.validation
    assert not set(training.patients) & set(validation.patients)
    together = sorted([*training.dataset.hashes, *validation.dataset.hashes])
    assert together == sorted(data.hashes[data.origins != "test"])
    assert len(lockbox) == np.sum(data.origins == "test")
    for part in (training, validation):
        assert set(part.labels) == {0, 1}
        assert "test" not in part.dataset.origins


@settings(deadline=None, max_examples=30)
@given(datasets(), st.integers(0, 1000))
def test_equal_seeds_give_equal_splits_whatever_the_order(data, seed):
    shuffled = data.subset(np.random.default_rng(seed).permutation(len(data)))
    digests = {split.split(d, seed=seed)[0].digest for d in (data, data, shuffled)}
    assert len(digests) == 1


@settings(deadline=None, max_examples=30)
@given(datasets(), st.integers(1, 100))
def test_a_limit_keeps_whole_patients_of_both_classes_on_both_sides(data, count):
    kept = split.limit(data, count)
    for patient in set(kept.patients):
        assert np.sum(kept.patients == patient) == np.sum(data.patients == patient)
    for is_test in (False, True):
        assert set(kept.labels[(kept.origins == "test") == is_test]) == {0, 1}
    split.split(kept)  # what is left can still be divided


def test_a_limit_keeps_some_of_the_releases_val():
    origins = ["train"] * 200 + ["val"] * 16 + ["test"] * 60
    labels = [i % 2 for i in range(len(origins))]
    kept = split.limit(made(labels, [f"p{i}" for i in range(len(origins))], origins), 60)
    development, _ = split.split(kept, policy="official")
    assert set(development.validation.dataset.origins) == {"val"}


def test_validation_is_15_percent_of_each_class_and_subtype():
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(1000), rng.integers(1, 4, 1000))
    labels = (patients % 4 > 0).astype(int)
    data = made([*labels, 0, 1], [*(f"p{p}" for p in patients), "t0", "t1"], ["train"] * len(labels) + ["test"] * 2)
    validation = split.split(data)[0].validation
    for label in (0, 1):
        share = np.sum(validation.labels == label) / np.sum(labels == label)
        assert share == pytest.approx(0.15, abs=0.003)


def test_another_seed_gives_another_split(dataset):
    assert split.split(dataset, seed=0)[0].digest != split.split(dataset, seed=1)[0].digest


def test_official_takes_eight_and_eight_where_the_release_has_no_val(dataset):
    development, _ = split.split(dataset, policy="official")
    assert list(np.bincount(development.validation.labels)) == [8, 8]
    assert "has no val folder: 16 training images" in development.notes[0]


def test_official_leaves_out_training_images_of_the_releases_val_patients():
    data = made(
        [0, 0, 0, 1, 1, 0, 1],
        ["a", "a", "b", "c", "d", "t", "u"],
        ["val", "train", "train", "val", "train", "test", "test"],
    )
    development, _ = split.split(data, policy="official")
    assert sorted(development.training.patients) == ["b", "d"]
    assert "1 training images left out" in development.notes[0]


def test_a_patient_on_both_sides_of_the_lockbox_stops_the_run_by_name():
    data = made([0, 0, 1, 1, 0, 1], ["a", "b", "c", "d", "a", "e"], ["train"] * 4 + ["test"] * 2)
    with pytest.raises(DataError, match=r"leak: 1 patient in both training and test, such as a \("):
        split.split(data)


def test_a_class_of_one_patient_cannot_be_divided():
    data = made([0, 0, 1, 1, 0, 1], ["a", "a", "c", "d", "t", "u"], ["train"] * 4 + ["test"] * 2)
    with pytest.raises(DataError, match="class NORMAL has 1 patients in train and val, and a split needs 2"):
        split.split(data)


@pytest.mark.parametrize("wrong", ["patients", ""])
def test_an_unknown_policy_is_refused(dataset, wrong):
    with pytest.raises(UsageError, match="--split is one of patient, official"):
        split.split(dataset, policy=wrong)


def test_a_limit_below_one_is_refused(dataset):
    with pytest.raises(UsageError, match="--limit takes at least 1 image, not 0"):
        split.limit(dataset, 0)


def test_two_patients_a_class_are_enough_whatever_their_subtypes():
    data = made([0, 0, 1, 1, 0, 1], ["a", "b", "c", "d", "e", "f"], ["train"] * 4 + ["test"] * 2)
    data.subtypes[:] = ["normal", "normal", "bacterial", "viral", "normal", "viral"]
    development, _ = split.split(data)
    assert len(development.training) == len(development.validation) == 2
    assert set(development.validation.labels) == {0, 1}
