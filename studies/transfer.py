"""How should pretrained weights be used: frozen, fine-tuned, or fine-tuned on varied images?

The budget is each plugin's own, as a head phase and a tuning phase do not fit into fewer epochs. Without a network the
weights are a file: `--set PLUGIN.weights=FILE` for each plugin.
Duration: with MobileNet ten to fifteen minutes a trial on two cores; InceptionV3 wants a GPU.

    pneumobench study transfer --trials 30
"""

from __future__ import annotations

from pneumobench import Study

study = Study(plugins=("probe", "transfer", "transfer_augmented"))
