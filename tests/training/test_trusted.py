"""scikit-learn's own estimators are loaded, anything else is refused."""

import numpy as np
import pytest
import skops.io
from sklearn import (
    calibration,
    ensemble,
    gaussian_process,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from pneumobench.training.trusted import untrusted

X = np.random.default_rng(0).random((40, 4)).astype("float32")
Y = np.array([0, 1] * 20, np.int8)
TWO = [("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier())]
MODELS = [
    linear_model.LogisticRegression(),
    tree.DecisionTreeClassifier(),
    ensemble.RandomForestClassifier(5),
    ensemble.ExtraTreesClassifier(5),
    ensemble.GradientBoostingClassifier(n_estimators=5),
    ensemble.HistGradientBoostingClassifier(max_iter=5),
    ensemble.AdaBoostClassifier(n_estimators=5),
    ensemble.BaggingClassifier(n_estimators=3),
    ensemble.VotingClassifier(TWO, voting="soft"),
    ensemble.StackingClassifier(TWO),
    neural_network.MLPClassifier((4,), max_iter=300, tol=1),
    calibration.CalibratedClassifierCV(svm.LinearSVC()),
    calibration.CalibratedClassifierCV(svm.LinearSVC(), method="isotonic"),
    gaussian_process.GaussianProcessClassifier(),
    naive_bayes.GaussianNB(),
    neighbors.KNeighborsClassifier(),
    make_pipeline(StandardScaler(), ensemble.RandomForestClassifier(3)),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_what_scikit_learn_has_can_be_loaded_again(model):
    saved = skops.io.dumps(model.fit(X, Y))
    types = skops.io.get_untrusted_types(data=saved)
    assert untrusted(types) == []
    again = skops.io.loads(saved, trusted=types)
    np.testing.assert_allclose(again.predict_proba(X), model.predict_proba(X))


def test_functions_and_other_packages_types_are_refused():
    model = make_pipeline(FunctionTransformer(np.save), linear_model.LogisticRegression())
    named = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    assert untrusted([*named, "os.system", "sklearn.utils.estimator_checks.check_estimator", "sklearn.nowhere.X"])
    foreign = ["builtins.eval", "sklearn.datasets.fetch_openml"]
    assert untrusted(foreign) == foreign
