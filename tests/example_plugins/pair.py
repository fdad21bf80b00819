"""A network and an estimator together, for tests."""

from pneumobench import Ensemble

plugin = Ensemble("tiny", "thumbnail", defaults={"tiny.width": 5})
