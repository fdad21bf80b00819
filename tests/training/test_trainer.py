"""Which kinds of plugin start Keras before a training."""

import subprocess
import sys

import pytest

from pneumobench.authoring import registry
from pneumobench.authoring.knobs import resolve
from pneumobench.training import backend, trainer


def test_an_estimator_over_pixels_starts_no_keras():
    code = (
        "import sys\n"
        "from pneumobench.authoring import registry\n"
        "from pneumobench.training import trainer\n"
        "plugin = registry.load('thumbnail')\n"
        "trainer.start(plugin, {})\n"
        "print(trainer.runs_on(plugin, {}), 'keras' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "('scikit-learn', 'cpu') False"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "knobs"), [("tiny", {}), ("probe", {}), ("pair", {}), ("ensemble", {"members": ("thumbnail", "tiny")})]
)
def test_networks_frozen_backbones_and_ensembles_with_them_run_on_keras(name, knobs):
    plugin = registry.load(name)
    assert trainer.runs_on(plugin, resolve(plugin, knobs)) == (backend.name(), backend.device())
