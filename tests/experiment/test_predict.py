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


def write_dicom(path, pixels, preamble=b"\0" * 128, **attributes):
    """A DICOM file of 12 bits in 16 with these attributes changed."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=preamble)
    file.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = *pixels.shape[:2], 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.PixelData = pixels.tobytes()
    for name, value in attributes.items():
        setattr(file, name, value)
    if preamble:
        file.save_as(path)
    else:
        del file.file_meta
        file.save_as(path, implicit_vr=True, little_endian=True)


@pytest.fixture
def same_picture(phantom_folder, tmp_path):
    """A folder of one X-ray in 19 forms, and what systems leave beside them."""
    from pydicom.dataset import Dataset

    folder = tmp_path / "one"
    folder.mkdir()
    with Image.open(min((phantom_folder / "test" / "PNEUMONIA").iterdir())) as image:
        grey = np.asarray(image.convert("L"))
    Image.fromarray(grey).save(folder / "8.jpeg", quality=97)
    for bits in (10, 12, 14, 16):
        for suffix in ("png", "tif"):
            deep = np.rint(grey * ((2**bits - 1) / 255)).astype(np.uint16)
            Image.fromarray(deep).save(folder / f"{bits}-in-16.{suffix}")
    px = np.rint(grey * (4095 / 255)).astype(np.uint16)
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4096, 0, 16])
    table.add_new("LUTData", "OW", np.arange(4096, dtype="<u2").tobytes())
    signed = {"PixelRepresentation": 1, "BitsStored": 16, "HighBit": 15}
    eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    write_dicom(folder / "1.2.840.113619.2.55.3", px)
    write_dicom(folder / "IM0001", px, WindowCenter=2048, WindowWidth=4096)
    write_dicom(folder / "IM0002", px, WindowCenter=None, WindowWidth=None, RescaleSlope=None)
    write_dicom(folder / "IM3.IMA", (4095 - px).astype(np.uint16), PhotometricInterpretation="MONOCHROME1")
    write_dicom(folder / "lut.dcm", px, VOILUTSequence=[table])
    write_dicom(folder / "sixteen.dcm", px, BitsStored=16, HighBit=15)
    write_dicom(folder / "signed.dcm", (px.astype(np.int32) - 2048).astype(np.int16), **signed)
    write_dicom(folder / "1.3.46.670589.30", px, preamble=None)
    rgb = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "PhotometricInterpretation": "RGB"}
    write_dicom(folder / "rgb.dcm", np.stack([grey] * 3, axis=-1), **eight, **rgb)
    write_dicom(folder / "frames", np.stack([px, px[::-1]]), Rows=48, Columns=48, NumberOfFrames=2)
    for name in ("._8.jpeg", ".DS_Store", "Thumbs.db", "desktop.ini", "DICOMDIR", "8.jpeg:Zone.Identifier"):
        (folder / name).write_bytes(b"x")
    for name in ("__MACOSX", ".ipynb_checkpoints"):
        (folder / name).mkdir()
        (folder / name / "x.jpeg").write_bytes(b"x")
    return folder


def test_one_picture_in_every_form_gets_one_answer(results, store, same_picture):
    model = predict.find(store, results["thumbnail"].run_id)
    answers = {Path(one.image).name: one for one in model(predict.images([same_picture]))}
    assert len(answers) == 19
    assert [name for name, one in answers.items() if one.error] == []
    probabilities = {name: one.probability for name, one in answers.items()}
    assert max(probabilities.values()) - min(probabilities.values()) < 0.02, probabilities
    assert any("it holds 2 pages or frames" in reason for reason in answers["frames"].warnings)


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


def test_a_folder_that_may_not_be_read_is_said(tmp_path, monkeypatch):
    def walk(folder, onerror, **_):
        onerror(PermissionError(13, "Permission denied", str(folder / "closed")))

    monkeypatch.setattr("os.walk", walk)
    with pytest.raises(DataError, match=r"no permission to read .*closed"):
        predict.images([tmp_path])


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
