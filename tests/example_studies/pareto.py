"""Two objectives, for tests: a network, which reports its epochs, with one knob."""

from pneumobench import Study


def space(trial, *, plugin):
    return {"width": trial.suggest_int("width", 2, 8)}


study = Study(plugins=("tiny",), space=space, metrics=("val_auroc", "seconds"))
