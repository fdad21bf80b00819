"""The mean probability of a network trained from scratch and a pretrained one.

Purpose: models that err on different images correct each other; the published text suggests ensembling. Members
that are already tracked (same data, split, seed and knobs) are reused, the others are trained first.
Differs from the baseline in: everything. An ensemble; its members are a knob.
Expected: with MobileNet AUROC .977 ± .002 and 92.3 % accuracy at the threshold (three seeds, RESULTS.md): more accurate
than either member there, with an AUROC no higher than the better one's.
Duration: seconds if the members are tracked, else the sum of theirs. Not measured on a GPU.

    pneumobench run ensemble
    pneumobench run ensemble --set members=residual,probe --set probe.backbone=MobileNet --set probe.weights=FILE
"""

from __future__ import annotations

from pneumobench import Ensemble

plugin = Ensemble("residual", "transfer_augmented", check={"members": ("thumbnail", "class_weighted")})
