import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from pneumobench.authoring import knobs, registry
from pneumobench.data import split
from pneumobench.errors import TrackingError
from pneumobench.training import predictor, trainer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["tiny", "thumbnail"])
def trained(request, dataset):
    plugin = registry.load(request.param)
    development = split.split(dataset)[0]
    return trainer.train(plugin, development, knobs.resolve(plugin, {}), seed=0), development.validation


def test_a_saved_model_predicts_the_same_from_raw_images(trained, tmp_path):
    model, part = trained
    model.save(tmp_path, threshold=0.3)
    loaded, card = predictor.load(tmp_path)
    assert loaded.view == model.view
    assert card["threshold"] == 0.3
    assert loaded(part) == pytest.approx(model(part), abs=1e-6)
    assert np.all((loaded(part) >= 0) & (loaded(part) <= 1))


def test_a_saved_network_holds_no_optimizer(trained, tmp_path):
    model, _ = trained
    model.save(tmp_path, threshold=0.3)
    if model.kind == "keras":
        with zipfile.ZipFile(tmp_path / "model.keras") as archive:
            assert not json.loads(archive.read("config.json")).get("compile_config")
        loaded, _ = predictor.load(tmp_path)
        assert getattr(loaded.model, "optimizer", None) is None


def test_a_model_of_untrusted_types_is_refused(tmp_path, trained):
    import skops.io

    model, _ = trained
    model.save(tmp_path, threshold=0.3)
    (tmp_path / "model.keras").unlink(missing_ok=True)
    skops.io.dump({"run": subprocess.Popen}, tmp_path / "model.skops")
    with pytest.raises(TrackingError, match=r"types that are not trusted: .*Popen"):
        predictor.load(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path, trained):
    trained[0].save(tmp_path, threshold=0.3)
    for path in tmp_path.glob("model.*"):
        path.unlink()
    with pytest.raises(TrackingError, match="no model in"):
        predictor.load(tmp_path)


def test_the_backend_starts_without_output():
    code = "from pneumobench.training import backend; backend.keras(); print(backend.name(), backend.device())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.split()[0] in ("tensorflow", "jax", "torch")
