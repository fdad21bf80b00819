"""The baseline, each class weighed by the inverse of its frequency.

Purpose: the published text blames the imbalance of 3,875 pneumonia to 1,341 normal images. With scikit-learn's
"balanced" weights both classes add the same to the loss, so that a normal image counts about 2.9 times as much.
Differs from the baseline in: weigh.
Expected: AUROC .938 ± .010 and 82.5 % accuracy at 0.5 (three seeds, RESULTS.md): a better specificity at 0.5 and no
change of the ranking to speak of; weights move the threshold.
Duration: ten to fourteen minutes on two cores with AVX2 alone, as the baseline. Not measured on a GPU.

    pneumobench run class_weighted
"""

from __future__ import annotations

from dataclasses import replace

from pneumobench import balanced
from pneumobench.plugins.baseline import plugin as baseline

plugin = replace(baseline, weigh=balanced)
