"""Which files are images, and what is said of the others."""

import shutil

import pytest
from PIL import Image

from pneumobench.data import listing
from pneumobench.data.load import load_folder


def moved(folder, name, to, count=3, rename=lambda path: path.name):
    """Move some images of a class folder elsewhere."""
    (folder / to).mkdir(parents=True, exist_ok=True)
    for path in sorted((folder / name).iterdir())[:count]:
        shutil.move(path, folder / to / rename(path))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: moved(root, "train/NORMAL", "train/Normal"),
        lambda root: moved(root, "train/NORMAL", "train/NORMAL/more/below"),
        lambda root: moved(root, "train/NORMAL", "train/NORMAL", rename=lambda path: f"{path.stem}.jfif"),
        lambda root: moved(root, "train/NORMAL", "train/NORMAL", rename=lambda path: path.stem),
        lambda root: moved(root, "train/NORMAL", "train/NORMAL", rename=lambda path: f"{path.stem}.1.2.840"),
    ],
    ids=["another case", "folders below", "jfif", "no suffix", "a suffix that is none"],
)
def test_images_are_read_wherever_people_put_them(dataset, copy, change):
    change(copy)
    again = load_folder(copy)
    assert again.fingerprint == dataset.fingerprint
    assert again.not_read == ()


def test_roboflows_valid_is_the_validation_part(copy):
    for name in ("NORMAL", "PNEUMONIA"):
        moved(copy, f"train/{name}", f"valid/{name}")
    assert (load_folder(copy).origins == "val").sum() == 6


def test_what_is_not_read_is_counted_and_named(dataset, copy):
    shutil.copytree(copy / "train" / "NORMAL", copy / "train" / "COVID19")
    shutil.copy(next((copy / "test" / "NORMAL").iterdir()), copy / "test" / "loose.jpeg")
    shutil.copytree(copy / "test" / "NORMAL", copy / "unlabelled")
    (copy / "train" / "NORMAL" / "labels.csv").write_text("x")
    again = load_folder(copy)
    assert again.fingerprint == dataset.fingerprint
    assert sorted(line.partition(", such as")[0] for line in again.not_read) == [
        "1 file not read (in test, in no class folder)",
        "1 file not read (not an image)",
        "16 files not read (outside train, val and test)",
        "24 files not read (train/COVID19 is neither NORMAL nor PNEUMONIA)",
    ]


def test_what_systems_leave_beside_images_is_not_spoken_of(dataset, copy):
    inside = copy / "train" / "NORMAL"
    image = next(inside.iterdir())
    for name in (".DS_Store", f"._{image.name}", "Thumbs.db", "desktop.ini"):
        (inside / name).write_bytes(b"x")
    for name in (".ipynb_checkpoints", "__MACOSX", "@eaDir"):
        (inside / name).mkdir()
        shutil.copy(image, inside / name / "copy.jpeg")
    again = load_folder(copy)
    assert (again.fingerprint, again.not_read) == (dataset.fingerprint, ())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP", "PPM"])
def test_first_bytes_tell_an_image_whose_name_does_not(tmp_path, kind):
    Image.new("L", (8, 8)).save(tmp_path / "x", format=kind)
    (tmp_path / "note").write_text("no image")
    assert list(listing.images(tmp_path)) == ["x"]
