"""MedMNIST's archives: read as a folder, fingerprinted by their pixels, refused in one line where they are not ours."""

import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import locate, split
from pneumobench.data.layouts import medmnist
from pneumobench.data.load import load_folder
from pneumobench.errors import DataError

SIZES = {"train": 40, "val": 10, "test": 12}


def arrays(side=28, seed=0):
    rng = np.random.default_rng(seed)
    content = {}
    for origin, size in SIZES.items():
        content[f"{origin}_images"] = rng.integers(0, 256, (size, side, side)).astype(np.uint8)
        content[f"{origin}_labels"] = np.arange(size).reshape(-1, 1) % 2
    return content


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "pneumoniamnist.npz"
    np.savez_compressed(path, **arrays())
    return path


def test_it_loads_like_any_folder_with_its_own_split(archive):
    dataset = load_folder(locate.find(archive).root)
    assert dataset.name == "pneumoniamnist"
    counts = {origin: int((dataset.origins == origin).sum()) for origin in SIZES}
    assert counts == SIZES
    first = (dataset.origins == "train") & (dataset.labels == 1)
    pixels = split.split(dataset, policy="official")[0].training.pixels(View(28, 28, channels=1))
    assert pixels[:].shape == (40, 28, 28)
    whole = arrays()["train_images"]
    assert {image.tobytes() for image in pixels[:]} == {image.tobytes() for image in whole}, "not a grey value is lost"
    assert first.sum() == 20


def test_without_patient_keys_each_image_is_its_own_patient_and_that_is_said(archive, tmp_path):
    from pneumobench.data import prepare
    from pneumobench.data.options import DataOptions
    from pneumobench.utils.progress import Progress

    said = prepare.load(DataOptions(data=archive), Progress())
    assert len(np.unique(said.dataset.patients)) == sum(SIZES.values())
    assert any("62 images have no known patient: each is its own" in note for note in said.notes)


def test_the_fingerprint_depends_on_the_pixels_and_not_on_the_file(archive, tmp_path):
    other = tmp_path / "elsewhere" / "copy.npz"
    other.parent.mkdir()
    np.savez(other, **arrays())  # not compressed
    assert other.read_bytes() != archive.read_bytes()
    fingerprints = {load_folder(locate.find(path).root).fingerprint for path in (archive, other)}
    assert len(fingerprints) == 1


def test_it_is_unpacked_once(archive, monkeypatch):
    first = medmnist.unpacked(archive)
    monkeypatch.setattr(medmnist, "_unpack", lambda *_: pytest.fail("unpacked again"))
    assert medmnist.unpacked(archive) == first


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("val_images"), "lacks val_images"),
        (lambda content: content.update(train_labels=np.arange(40).reshape(-1, 1)), "other classes than 0, normal"),
        (lambda content: content.update(train_labels=np.zeros((40, 14), int)), "other classes than 0, normal"),
        (
            lambda content: content.update(test_images=np.zeros((12, 28, 28, 3), np.uint8)),
            r"test images \(12, 28, 28, 3\)",
        ),
        (lambda content: content.update(train_images=np.array([{}] * 40)), r"\.npz archive|damaged"),
    ],
)
def test_what_is_no_pneumoniamnist_is_refused_and_leaves_nothing(change, message, tmp_path, monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path / "cache"))
    content = arrays()
    change(content)
    np.savez(tmp_path / "other.npz", **content)
    with pytest.raises(DataError, match=message):
        medmnist.unpacked(tmp_path / "other.npz")
    assert [
        path for path in (tmp_path / "cache" / "unpacked").iterdir() if path.suffix not in (".lock", ".building")
    ] == []


def test_a_torn_archive_is_refused(archive, tmp_path):
    torn = tmp_path / "torn.npz"
    torn.write_bytes(archive.read_bytes()[:5000])
    with pytest.raises(DataError, match=r"torn\.npz is"):
        medmnist.unpacked(torn)


def test_the_same_bytes_under_another_name_load_too(archive, tmp_path):
    copied = tmp_path / "copied.npz"
    copied.write_bytes(archive.read_bytes())
    assert [medmnist.unpacked(path).name for path in (archive, copied, archive)] == [
        archive.stem,
        "copied",
        archive.stem,
    ]
    assert medmnist.unpacked(copied).is_dir()
