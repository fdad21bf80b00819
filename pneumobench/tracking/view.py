"""A view of the runs table in MLflow's UI, sorted by test AUROC: MLflow stores shared views as experiment tags."""

from __future__ import annotations

import json

KEY = "pneumobench"
TAG = f"mlflow.sharedViewState.{KEY}"

_FIGURES = ("auroc", "auroc_low", "auroc_high", "accuracy", "accuracy_at_0.5", "sensitivity", "specificity")
_COLUMNS = (*(f"metrics.`test_{name}`" for name in _FIGURES), "metrics.`validation_auroc`", "tags.`plugin`")

STATE = json.dumps({"orderByKey": "metrics.`test_auroc`", "orderByAsc": False, "selectedColumns": _COLUMNS})


def address(server: str, experiment_id: str) -> str:
    """The URL at which a server shows an experiment in this view: highest test AUROC first."""
    return f"{server}/#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={KEY}"
