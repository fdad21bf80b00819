"""The baseline with each class weighted by the inverse of its frequency.

Purpose: the published text blames the imbalance of 3,875 pneumonia to 1,341 normal images. With scikit-learn's
"balanced" weights both classes contribute equally to the loss: a normal image weighs about 2.9 times as much.
Differs from the baseline in: weigh.
Expected: AUROC .938 ± .010 and 82.5 % accuracy at 0.5 (three seeds, RESULTS.md): higher specificity at 0.5 and little
change in AUROC; class weights shift the threshold.
Duration: ten to fourteen minutes on two cores with AVX2 only, as the baseline. Not measured on a GPU.

    pneumobench run class_weighted
"""

from __future__ import annotations

from dataclasses import replace

from pneumobench import balanced
from pneumobench.plugins.baseline import plugin as baseline

plugin = replace(baseline, weigh=balanced)
