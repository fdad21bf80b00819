"""The mean probability of a network from scratch and a pretrained one.

Purpose: models that err on different images correct each other; the published text names ensembling. Members that
are tracked already (the same data, split, seed and knobs) are reused, the others trained first.
Differs from the baseline in: everything. An ensemble; its members are a knob.
Expected: above each member; RESULTS.md holds what came out.
Duration: seconds where the members are tracked, else theirs together. Not measured on a GPU.

    pneumobench run ensemble
    pneumobench run ensemble --set members=residual,probe --set probe.backbone=MobileNet --set probe.weights=FILE
"""

from __future__ import annotations

from pneumobench import Ensemble

plugin = Ensemble("residual", "transfer_augmented", check={"members": ("thumbnail", "class_weighted")})
