"""Which types of a saved estimator are loaded: scikit-learn's and imbalanced-learn's own, by name."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

# of fitted estimators, beside the estimators themselves: trees, losses, optimizers and the like, which hold numbers
PARTS = frozenset(
    (
        "sklearn.tree._tree.Tree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.utils._bunch.Bunch",
        "sklearn.calibration._SigmoidCalibration",
        "numpy.random._pickle.__randomstate_ctor",
        "numpy.random.mtrand.RandomState",
        "numpy.random._mt19937.MT19937",
        "numpy.dtype",
    )
)
PART_MODULES = (
    "sklearn._loss.",
    "sklearn.gaussian_process.kernels.",
    "sklearn.neighbors._",
    "sklearn.metrics._dist_metrics.",
)


def untrusted(names: Iterable[str]) -> list[str]:
    """Those of the types (full names) that are neither estimators of scikit-learn or imbalanced-learn nor their parts.

    Other types are refused: a file may name any function of an installed package.
    """
    return sorted(name for name in names if not (name in PARTS or name.startswith(PART_MODULES) or _is_estimator(name)))


def _is_estimator(name: str) -> bool:
    from sklearn.base import BaseEstimator

    module, _, attribute = name.rpartition(".")
    if module.partition(".")[0] not in ("sklearn", "imblearn"):  # nothing else is even imported
        return False
    try:
        kind = getattr(import_module(module), attribute, None)
    except ImportError:
        return False
    return isinstance(kind, type) and issubclass(kind, BaseEstimator)
