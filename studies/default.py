"""Which plugin, with which knobs, is best among those that train on a laptop?

Every trial gets three epochs, whatever the plugin (the estimator has none), so that no plugin wins by training longer.
Duration: one to ten minutes a trial on all images, on two cores with AVX2 only; one minute with `--limit 600`.

    pneumobench study --trials 50
"""

from __future__ import annotations

from pneumobench import Study

study = Study(
    plugins=("thumbnail", "baseline", "class_weighted", "oversampled", "augmented", "regularized", "residual"),
    epochs=3,
)
