"""Transfer learning with class weights and augmentation: three plugins combined, no new code.

Purpose: to show that plugins compose. `transfer`'s training, `class_weighted`'s weights and `augmented`'s
augmentation, but stronger, as test images are blurrier than training images.
Differs from the baseline in: build, schedule, view, batch_size, weigh, augment.
Expected: with MobileNet AUROC .978 ± .001 and 90.4 % accuracy at 0.5 (three seeds, RESULTS.md).
Duration: as `transfer`; augmentation runs in parallel with the training step. Not measured on a GPU.

    pneumobench run transfer_augmented
    pneumobench run transfer_augmented --set backbone=MobileNet --set weights=FILE
"""

from __future__ import annotations

from dataclasses import replace

from pneumobench.plugins.augmented import plugin as augmented
from pneumobench.plugins.class_weighted import plugin as class_weighted
from pneumobench.plugins.transfer import plugin as transfer

plugin = replace(
    transfer,
    weigh=class_weighted.weigh,
    augment=augmented.augment,
    defaults={"geometry": 1.5, "exposure": 1.5, "quality": 1.5},
)
