"""scikit-learn as the oracle of every metric that it has."""

import numpy as np
import pytest
from sklearn import metrics as sk

from pneumobench.evaluation.metrics import EPSILON


def _at(labels, predicted, subtypes):
    predicted = predicted.astype(labels.dtype)
    nan = float("nan")
    recall = {
        name: predicted[subtypes == name].mean() if np.any(subtypes == name) else nan for name in ("bacterial", "viral")
    }
    of_classes = sk.precision_recall_fscore_support(labels, predicted, labels=[0, 1], zero_division=nan)
    (npv, ppv), (specificity, sensitivity), f1, support = of_classes
    f1 = np.nan_to_num(f1)
    return {
        "accuracy": sk.accuracy_score(labels, predicted),
        "balanced_accuracy": (sensitivity + specificity) / 2,  # scikit-learn's ignores an absent class
        "sensitivity": sensitivity,
        "specificity": specificity,
        "ppv": ppv,
        "npv": npv,
        "f1_pneumonia": f1[1],
        "f1_normal": f1[0],
        "f1_weighted": np.average(f1, weights=support),
        "mcc": sk.matthews_corrcoef(labels, predicted),
        "gmean": np.sqrt(sensitivity * specificity),
        "sensitivity_bacterial": recall["bacterial"],
        "sensitivity_viral": recall["viral"],
    }


def _point(labels, probabilities, subtypes, threshold):
    clipped = np.clip(probabilities, EPSILON, 1 - EPSILON)
    both = len(np.unique(labels)) == 2
    bins = np.minimum(np.floor(probabilities * 10), 9)
    gaps = [abs((probabilities - labels)[bins == b].sum()) for b in range(10)]
    figures = _at(labels, probabilities >= threshold, subtypes) | {
        "auroc": sk.roc_auc_score(labels, probabilities) if both else float("nan"),
        "auprc": sk.average_precision_score(labels, probabilities) if both else float("nan"),
        "brier": sk.brier_score_loss(labels, probabilities, labels=[0, 1], pos_label=1),
        "log_loss": sk.log_loss(labels, clipped, labels=[0, 1]),
        "ece": sum(gaps) / len(labels),
    }
    return figures | {f"{name}_at_0.5": v for name, v in _at(labels, probabilities >= 0.5, subtypes).items()}


@pytest.fixture(scope="session")
def oracle():
    """Every metric of labels, probabilities, subtypes and a threshold, from scikit-learn: name -> figure."""
    return _point
