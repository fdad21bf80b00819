import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from pneumobench import Phase, View, balanced
from pneumobench.errors import UsageError


def test_balanced_is_scikit_learns_formula():
    labels = np.array([0, 1, 1, 1])
    expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=labels)[labels]
    assert balanced(labels) == pytest.approx(expected)
    assert balanced(labels).dtype == np.float32


@pytest.mark.parametrize("wrong", [{"height": 0, "width": 5}, {"height": 5, "width": 5000}])
def test_a_view_has_bounds(wrong):
    with pytest.raises(UsageError, match="1 to 4096"):
        View(**wrong)


def test_a_view_is_grey_or_three_equal_channels():
    with pytest.raises(UsageError, match="1 or 3 channels"):
        View(8, 8, channels=4)


@pytest.mark.parametrize("wrong", [{"epochs": 0, "learning_rate": 1}, {"epochs": 1, "learning_rate": 0}])
def test_a_phase_that_cannot_train_is_refused(wrong):
    with pytest.raises(UsageError, match="phase 'head' takes"):
        Phase("head", **wrong)


def test_a_misspelt_monitor_is_refused_rather_than_ignored():
    with pytest.raises(UsageError, match=r"monitors one of loss, val_auroc, .* not 'val_auc'"):
        Phase("head", epochs=1, learning_rate=1.0, monitor="val_auc")
