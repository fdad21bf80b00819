"""Trials of so many epochs that a test can end them in the middle of one."""

from dataclasses import replace

from pneumobench_folder_plugins.tiny import plugin as tiny

from pneumobench import Study


def space(trial):
    return {"width": trial.suggest_int("width", 2, 9)}


study = Study(plugins={"slow": replace(tiny, defaults={**tiny.defaults, "epochs": 40})}, space=space, pruner="none")
