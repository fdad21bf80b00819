"""What each metric is called, whether more of it is better, and which values it can take."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from pneumobench.evaluation.metrics import EPSILON, HALF, OF_PROBABILITIES


@dataclass(frozen=True)
class Metric:
    """A metric's label within a sentence, its sign (1: more is better, -1: less) and its least and largest value."""

    label: str
    sign: int = 1
    least: float = 0.0
    most: float = 1.0


# by the names of `metrics.AT_THRESHOLD` and `metrics.OF_PROBABILITIES`, in the order of the tables
METRICS = {
    "accuracy": Metric("accuracy"),
    "balanced_accuracy": Metric("balanced accuracy"),
    "sensitivity": Metric("sensitivity"),
    "sensitivity_bacterial": Metric("sensitivity for bacterial pneumonia"),
    "sensitivity_viral": Metric("sensitivity for viral pneumonia"),
    "specificity": Metric("specificity"),
    "ppv": Metric("PPV"),
    "npv": Metric("NPV"),
    "f1_pneumonia": Metric("F1 of pneumonia"),
    "f1_normal": Metric("F1 of normal"),
    "f1_weighted": Metric("weighted F1"),
    "mcc": Metric("MCC", least=-1.0),
    "gmean": Metric("G-mean"),
    "auroc": Metric("AUROC"),
    "auprc": Metric("AUPRC"),
    "brier": Metric("Brier score", sign=-1),
    "log_loss": Metric("log-loss", sign=-1, most=-log(EPSILON)),
    "ece": Metric("ECE", sign=-1),
}
FREE = OF_PROBABILITIES  # of a threshold
WITHIN = "auroc_within_"  # a column's name follows


def of(name: str) -> Metric:
    """What is known of a metric, at the threshold or at 0.5. Raises: KeyError for a name that is none."""
    if name.startswith(WITHIN):
        return Metric(f"AUROC within {name.removeprefix(WITHIN)}")
    return METRICS[name.removesuffix(HALF)]


def label(name: str, *, full: bool = False) -> str:
    """A metric in words: "AUROC", "accuracy at 0.5", "accuracy" or, if `full`, "accuracy at the threshold"."""
    if name.endswith(HALF):
        return f"{of(name).label} at 0.5"
    is_free = name in FREE or name.startswith(WITHIN)
    return f"{of(name).label} at the threshold" if full and not is_free else of(name).label
