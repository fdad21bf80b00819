"""A network that learns, and from the fifth trial on learns the opposite."""

from pneumobench import Study


def space(trial):
    return {"contrary": trial.number >= 4, "width": trial.suggest_int("width", 4, 16)}


study = Study(plugins=("contrary",), space=space, epochs=12, metric="val_log_loss")
