import numpy as np
import pytest

from pneumobench import balanced
from pneumobench.authoring import registry
from pneumobench.plugins.oversampled import resample

LABELS = np.array([0] * 13 + [1] * 39)


def test_class_weights_give_both_classes_the_same_total():
    plugin = registry.load("class_weighted")
    assert plugin.weigh is balanced
    weights = plugin.weigh(LABELS)
    assert weights[LABELS == 0].sum() == pytest.approx(weights[LABELS == 1].sum())


@pytest.mark.slow
def test_oversampling_draws_indices_until_both_classes_are_equal():
    rows = resample(LABELS, seed=0)
    assert np.bincount(LABELS[rows]).tolist() == [39, 39]
    assert set(rows) == set(range(len(LABELS))), "every image occurs at least once"
    assert rows.ndim == 1
    assert np.array_equal(rows, resample(LABELS, seed=0))
    assert not np.array_equal(rows, resample(LABELS, seed=1))


def test_the_variants_set_only_what_differs():
    from dataclasses import fields

    baseline = registry.load("baseline")
    expected = {"class_weighted": {"weigh"}, "oversampled": {"resample"}, "augmented": {"augment", "space"}}
    for name, differing in expected.items():
        plugin = registry.load(name)
        changed = {f.name for f in fields(baseline) if getattr(plugin, f.name) != getattr(baseline, f.name)}
        assert changed == differing
