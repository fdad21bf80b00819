"""Tracked models on files: the same probabilities as when they were scored, and no code from a model's file."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pneumobench
from pneumobench.errors import DataError, PluginError, TrackingError, UsageError
from pneumobench.evaluation import predictions
from pneumobench.evaluation.operating_point import OperatingPoint
from pneumobench.experiment import predict
from pneumobench.training import pyfunc

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(store, phantom_folder):
    return {name: pneumobench.run(name, data=phantom_folder, tracking_uri=store.uri) for name in ("thumbnail", "tiny")}


@pytest.mark.parametrize("name", ["thumbnail", "tiny"])
def test_files_get_the_predictions_that_they_got_when_the_model_was_scored(name, results, store, phantom_folder):
    model = predict.find(store, results[name].run_id)
    scored = predictions.read(
        store.file(results[name].run_id, "predictions/test.parquet"), OperatingPoint(model.threshold, "x", 1)
    )
    predicted = list(model([phantom_folder / image for image in scored.image]))
    np.testing.assert_allclose([one.probability for one in predicted], scored.probability, atol=2e-6)
    assert [one.label == "PNEUMONIA" for one in predicted] == scored.predicted.tolist()
    assert model.threshold == pytest.approx(results[name].runs[0].operating.threshold)
    assert f"{name}, seed 0, on phantom" in model.description


def test_a_champion_is_set_and_used(results, store, phantom_folder, cli):
    with pytest.raises(UsageError, match="no champion is set yet"):
        predict.find(store)
    crowned = cli("champion", results["thumbnail"].run_id[:8], "--tracking-uri", store.uri)
    assert crowned.returncode == 0, crowned.stderr
    assert "mlflow models serve -m models:/pneumobench@champion" in crowned.stdout
    done = cli("predict", str(phantom_folder / "test" / "NORMAL"), "--tracking-uri", store.uri, "--json")
    predicted = json.loads(done.stdout)
    assert predicted["model"]["run"] == results["thumbnail"].run_id
    assert len(predicted["images"]) == 16
    predict.set_champion(store, results["tiny"].run_id)
    assert predict.find(store).run_id == results["tiny"].run_id


def test_test_images_are_recognised_by_their_contents_and_the_look_is_recorded_in_the_ledger(
    results, store, phantom_folder, tmp_path
):
    model = predict.find(store, results["tiny"].run_id)
    closed = [*(phantom_folder / "train" / "NORMAL").iterdir()][:2]
    before = len(store.ledger.looks())
    assert predict.record_look(model, store, [*closed, tmp_path / "absent.png"]) == 0
    assert len(store.ledger.looks()) == before
    renamed = Path(shutil.copy(next((phantom_folder / "test" / "NORMAL").iterdir()), tmp_path / "any.jpeg"))
    assert predict.record_look(model, store, [*closed, renamed]) == 1
    added = store.ledger.looks()[before:]
    assert [look.run for look in added] == [results["tiny"].run_id]
    assert added[0].images == store.ledger.looks()[0].images, "counted with the looks of the runs"


def test_explain_writes_pictures_of_networks_and_refuses_estimators(results, store, phantom_folder, tmp_path, cli):
    image = next((phantom_folder / "train" / "PNEUMONIA").iterdir())
    twin = tmp_path / "twin" / image.name
    twin.parent.mkdir()
    shutil.copy(image, twin)
    ask = ["predict", str(image), str(twin), "--tracking-uri", store.uri, "--explain", str(tmp_path / "heat")]
    done = cli(*ask, "--model", results["tiny"].run_id, "--json")
    assert done.returncode == 0, done.stderr
    predicted = json.loads(done.stdout)["images"]
    pictures = [Path(one["explained"]) for one in predicted]
    assert [path.name for path in pictures] == [f"{image.stem}.gradcam.png", f"{image.stem}-2.gradcam.png"]
    with Image.open(pictures[0]) as picture, Image.open(image) as original:
        assert picture.size == original.size
        assert picture.mode == "RGB"
    refused = cli(*ask, "--model", results["thumbnail"].run_id)
    assert refused.returncode == 2
    assert "Grad-CAM needs a network" in refused.stderr


def test_dicom_gets_the_same_prediction_as_the_same_image_in_another_format(results, store, tmp_path):
    pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    pixels = np.random.default_rng(0).integers(0, 256, (80, 100)).astype(np.uint8)
    pixels[0, :2] = 0, 255
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(tmp_path / "image.dcm"), {}, file_meta=meta, preamble=b"\0" * 128)
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = 80, 100, 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    file.PixelData = pixels.tobytes()
    file.save_as(tmp_path / "image.dcm")
    Image.fromarray(pixels).save(tmp_path / "image.png")
    model = predict.find(store, results["tiny"].run_id)
    predicted = list(model(predict.images([tmp_path])))
    assert len(predicted) == 2
    assert predicted[0].probability == pytest.approx(predicted[1].probability, abs=1e-6)


def test_unusual_and_unreadable_images_are_reported_and_the_others_predicted(
    results, store, phantom_folder, tmp_path, cli
):
    good = next((phantom_folder / "test" / "NORMAL").iterdir())
    shutil.copy(good, tmp_path / "good.jpeg")
    red = np.zeros((200, 200, 3), np.uint8)
    red[:100, :, 0] = 255
    Image.fromarray(red).save(tmp_path / "red.png")
    (tmp_path / "torn.png").write_bytes(b"no image")
    done = cli("predict", str(tmp_path), "--model", results["thumbnail"].run_id, "--tracking-uri", store.uri)
    assert done.returncode == 1
    assert "it is in colour" in " ".join(done.stdout.split())
    assert "unreadable: not an image" in " ".join(done.stdout.split())
    with pytest.raises(DataError, match="no file"):
        predict.images([tmp_path / "absent.png"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        predict.images([tmp_path / "empty"])


@pytest.fixture
def models(results, store, tmp_path):
    """Copies of the two models' folders, to be tampered with."""
    return {
        name: Path(shutil.copytree(store.model_folder(store.run(result.run_id)), tmp_path / name))
        for name, result in results.items()
    }


def test_a_scikit_learn_file_with_code_in_it_is_refused(models, tmp_path):
    import skops.io

    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "evil",))

    skops.io.dump({"model": Evil()}, models["thumbnail"] / "model.skops")
    with pytest.raises(TrackingError, match="types that are not trusted"):
        pyfunc._load_pyfunc(str(models["thumbnail"]))
    assert not (tmp_path / "evil").exists()


def test_a_network_with_code_in_it_is_refused(models, tmp_path):
    import keras

    flag = tmp_path / "evil"
    images = keras.Input((16, 16, 1))
    layer = keras.layers.Lambda(lambda x, flag=str(flag): (open(flag, "w").close(), x[:, 0, 0])[1], output_shape=(1,))
    evil = keras.Model(images, layer(images))
    flag.unlink(missing_ok=True)  # building it ran it
    evil.save(models["tiny"] / "model.keras")
    assert zipfile.is_zipfile(models["tiny"] / "model.keras")
    with pytest.raises(TrackingError, match="without running its code"):
        pyfunc._load_pyfunc(str(models["tiny"]))
    assert not flag.exists()


def test_a_card_that_names_any_other_module_is_refused(models, tmp_path, monkeypatch):
    (tmp_path / "evil_module.py").write_text(f"open({str(tmp_path / 'evil')!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = models["tiny"] / "predictor.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "plugin_module": "evil_module"}))
    with pytest.raises(PluginError, match="no plugin is of that module"):
        pyfunc._load_pyfunc(str(models["tiny"]))
    assert not (tmp_path / "evil").exists()
