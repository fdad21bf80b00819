"""The baseline, each class weighed by the inverse of its frequency.

Purpose: the published text blames the imbalance of 3,875 pneumonia to 1,341 normal images. With scikit-learn's
"balanced" weights both classes add the same to the loss, so that a normal image counts about 2.9 times as much.
Differs from the baseline in: weigh.
Expected: a better specificity at 0.5 and no change of AUROC to speak of; weights move the threshold more than
the ranking.
Duration: ten to fourteen minutes on two cores with AVX2 alone, as the baseline. Not measured on a GPU.

    pneumobench run class_weighted
"""

from __future__ import annotations

from dataclasses import replace

from pneumobench import balanced
from pneumobench.plugins.baseline import plugin as baseline

plugin = replace(baseline, weigh=balanced)
