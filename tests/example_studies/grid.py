"""Five combinations and no more."""

from pneumobench import Study


def space(trial, *, plugin):
    if plugin == "thumbnail":
        return {"C": trial.suggest_categorical("C", [0.1, 1.0])}
    return {"C": trial.suggest_float("C", 1.0, 2.0, step=0.5), "seconds": trial.suggest_categorical("seconds", [0.0])}


study = Study(plugins={"knobby": "knobby", "thumbnail": "thumbnail"}, space=space, sampler="grid")
