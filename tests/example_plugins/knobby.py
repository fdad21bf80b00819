"""An estimator with a space, and knobs that make it slow, wrong or deadly, for tests of studies."""

import os
import signal
import time

from pneumobench import Estimator, View


def build(*, C: float = 1.0, fail: str = "", once: str = "", seconds: float = 0.0):
    from sklearn.linear_model import LogisticRegression

    time.sleep(seconds)
    if once and not os.path.exists(once):
        open(once, "w").close()
        raise ValueError("only the first time")
    if fail == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if fail:
        raise ValueError(f"it was told to fail: {fail}")
    return LogisticRegression(C=C)


def space(trial):
    return {"C": trial.suggest_float("C", 1e-3, 1e3, log=True)}


plugin = Estimator(build=build, space=space, view=View(4, 4, channels=1))
