import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pneumobench.data import split
from pneumobench.data.dataset import joined
from pneumobench.data.folds import divide_into_folds
from pneumobench.data.subset import Development, Part
from pneumobench.errors import DataError


@pytest.fixture(scope="module")
def development(dataset):
    return split.split(dataset)[0]


def everything(development):
    return joined(development.training.dataset, development.validation.dataset)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(2, 6), seed=st.integers(0, 1000))
def test_every_image_is_held_out_once_and_no_patient_is_on_two_sides(development, count, seed):
    folds = divide_into_folds(development, count, seed=seed)
    held_out = np.concatenate([fold.validation.dataset.paths for fold in folds])
    assert sorted(held_out) == sorted(everything(development).paths)
    for fold in folds:
        assert not set(fold.training.patients) & set(fold.validation.patients)
        assert len(fold.training) + len(fold.validation) == len(held_out)


def test_no_fold_holds_a_test_image(dataset, development):
    hashes = set(dataset.hashes[dataset.origins == "test"])
    for fold in divide_into_folds(development, 3):
        assert not hashes & set(fold.validation.dataset.hashes)
        assert not hashes & set(fold.training.source.hashes)


def test_classes_and_subtypes_have_about_their_share_in_every_fold(development):
    whole = everything(development)
    for fold in divide_into_folds(development, 4):
        for name in np.unique(whole.subtypes):
            share = np.mean(whole.subtypes == name)
            assert np.mean(fold.validation.subtypes == name) == pytest.approx(share, abs=0.15)


def test_seeds_differ_and_the_names_of_files_and_patients_do_not_matter(development):
    def held(development, seed):
        return [set(fold.validation.dataset.hashes) for fold in divide_into_folds(development, 3, seed=seed)]

    from dataclasses import replace

    def renamed(part):
        other = replace(
            part.dataset,
            paths=np.array([path[::-1] for path in part.dataset.paths]),
            patients=np.array([patient[::-1] for patient in part.dataset.patients]),
        )
        return Part(other.subset(np.arange(len(other))[::-1]), part.source)

    assert held(development, 0) != held(development, 1)
    other = Development(renamed(development.training), renamed(development.validation))
    assert held(development, 0) == held(other, 0)


def test_impossible_counts_are_refused(development):
    normal = len(np.unique(everything(development).patients[everything(development).labels == 0]))
    with pytest.raises(DataError, match=rf"--folds 500: class NORMAL has {normal} patients"):
        divide_into_folds(development, 500)
