"""What a plugin of each kind needs before it can be trained."""

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
def test_a_network_a_backbone_and_a_member_that_is_one_run_on_keras(name, knobs):
    plugin = registry.load(name)
    assert trainer.runs_on(plugin, resolve(plugin, knobs)) == (backend.name(), backend.device())
