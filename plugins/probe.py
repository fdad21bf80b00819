"""A linear probe: a backbone's frozen features, SMOTE, and logistic regression.

Purpose: how well ImageNet features work without fine-tuning, in seconds rather than minutes. SMOTE interpolates
between neighbours of the minority class, which makes sense for features but not for pixels.
Differs from the baseline in: everything. An estimator; features are computed once per set of images, backbone,
weights and size, and cached.
Expected: with MobileNet AUROC .956 ± .001 and 82.5 % accuracy at 0.5 (three seeds, RESULTS.md).
Duration: MobileNet's features take a minute or two on two cores, the rest seconds. Not measured on a
GPU.

    pneumobench run probe
    pneumobench run probe --set backbone=MobileNet --set weights=FILE
"""

from __future__ import annotations

from typing import Any

from pneumobench import Backbone, Estimator, View, pretrained


def view(*, size: int = 224) -> View:
    """Square greyscale images of `size` pixels, in three equal channels."""
    return View(size, size, channels=3)


def features(shape: tuple[int, int, int], *, backbone: Backbone = "InceptionV3", weights: str = "imagenet") -> Any:
    """The backbone's feature maps, averaged over the image."""
    import keras

    inputs, maps = pretrained(shape, backbone, weights)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(maps))


def build(*, C: float = 0.01, smote: bool = True) -> Any:
    """Standardised features, classes balanced by SMOTE, logistic regression with inverse regularisation strength C."""
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import Pipeline
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    sampler = [("smote", SMOTE(k_neighbors=3))] if smote else []
    return Pipeline([("scale", StandardScaler()), *sampler, ("fit", LogisticRegression(C=C, max_iter=2000))])


def space(trial: Any) -> dict[str, Any]:
    """The regularisation strength, and whether SMOTE is used."""
    return {
        "C": trial.suggest_float("C", 1e-5, 1.0, log=True),
        "smote": trial.suggest_categorical("smote", [True, False]),
    }


plugin = Estimator(
    build=build,
    features=features,
    space=space,
    view=view,
    check={"backbone": "MobileNet", "weights": "none", "size": 64},
)
