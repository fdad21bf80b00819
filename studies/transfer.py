"""How should pretrained weights be used: frozen, fine-tuned, or fine-tuned with augmentation?

The budget is each plugin's own, as a head phase and a tuning phase do not fit into fewer epochs. Without network
access, set a weights file for each plugin: `--set PLUGIN.weights=FILE`.
Duration: with MobileNet ten to fifteen minutes a trial on two cores; InceptionV3 needs a GPU.

    pneumobench study transfer --trials 30
"""

from __future__ import annotations

from pneumobench import Study

study = Study(plugins=("probe", "transfer", "transfer_augmented"))
