"""A small release of every layout, as its publisher lays it out, with drawn pictures that a model can learn from."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

NIH = (
    *("Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "Patient Gender", "View Position"),
    *("OriginalImage[Width", "Height]", "OriginalImagePixelSpacing[x", "y]"),
)
CHEXPERT = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", "No Finding", "Pneumonia")
VINDR = ("image_id", "rad_ID", "No finding", "Brocho-pneumonia", "Pneumonia", "Pleuro-pneumonia", "Tuberculosis")
PADCHEST = (
    *("", "ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth", "PatientSex_DICOM"),
    *("ViewPosition_DICOM", "Projection", "MethodProjection", "Pediatric", "MethodLabel", "Labels", "Localizations"),
)


def pictures(count: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """`count` images (40, 40) uint8 with their number and label; those of pneumonia have a brighter lower half."""
    for number in range(count):
        rng, label = np.random.default_rng(number), number % 2
        image = rng.normal(90, 20, (40, 40))
        image[20:] += 60 * label
        yield number, label, image.clip(0, 255).astype(np.uint8)


def save(path: Path, image: np.ndarray) -> None:
    """Write a picture, as DICOM where the suffix says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".dcm", ".dicom"):
        dicom(path, image)
    else:
        Image.fromarray(image).save(path)


def dicom(path: Path, image: np.ndarray) -> None:
    """Write a digital X-ray of 8 bits."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.Modality = DigitalXRayImageStorageForPresentation, "DX"
    file.Rows, file.Columns, file.SamplesPerPixel, file.PhotometricInterpretation = *image.shape, 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    file.PixelData = image.tobytes()
    file.save_as(path)


def table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def kermany(root: Path, count: int) -> None:
    """train and test, with a subtype in the names of pneumonia."""
    for number, label, image in pictures(count):
        part = "train" if number < count * 2 // 3 else "test"
        name = f"person{number}_bacteria_{number}.jpeg" if label else f"IM-{number:04}-0001.jpeg"
        save(root / part / ("NORMAL", "PNEUMONIA")[label] / name, image)


def folders(root: Path, count: int) -> None:
    """Class folders 0 and 1."""
    for number, label, image in pictures(count):
        save(root / str(label) / f"{number}.png", image)


def manifest(root: Path, count: int) -> None:
    """A table beside its images."""
    rows = []
    for number, label, image in pictures(count):
        save(root / "images" / f"{number}.png", image)
        rows.append(
            (f"images/{number}.png", ("normal", "pneumonia")[label], f"p{number}", ("AP", "PA")[number % 3 > 0])
        )
    table(root / "labels.csv", ("path", "label", "patient", "view"), rows)


def nih(root: Path, count: int) -> None:
    """Data_Entry_2017 and folders of images."""
    rows = []
    for number, label, image in pictures(count):
        name = f"{number:08}_000.png"
        save(root / f"images_{number % 3 + 1:03}" / "images" / name, image)
        rows.append((name, ("No Finding", "Pneumonia")[label], 0, number, 50, "M", "PA", 2682, 2749, 0.143, 0.143))
    table(root / "Data_Entry_2017_v2020.csv", NIH, rows)


def rsna(root: Path, count: int) -> None:
    """Both stage-2 tables, and DICOM."""
    targets, classes = [], []
    for number, label, image in pictures(count):
        save(root / "stage_2_train_images" / f"s{number}.dcm", image)
        targets.append((f"s{number}", *((1, 2, 3, 4) if label else ("", "", "", "")), label))
        classes.append((f"s{number}", ("Normal", "Lung Opacity")[label]))
    table(root / "stage_2_train_labels.csv", ("patientId", "x", "y", "width", "height", "Target"), targets)
    table(root / "stage_2_detailed_class_info.csv", ("patientId", "class"), classes)


def chexpert(root: Path, count: int) -> None:
    """train and valid; the paths begin with the release's name."""
    of: dict[str, list[tuple[object, ...]]] = {"train": [], "valid": []}
    for number, label, image in pictures(count):
        part = "train" if number < count * 2 // 3 else "valid"
        name = f"{part}/patient{number:05}/study1/view1_frontal.jpg"
        save(root / name, image)
        said = ("", "1.0") if label else ("1.0", "")
        of[part].append((f"CheXpert-v1.0-small/{name}", "Female", 68, "Frontal", "AP", *said))
    for part, rows in of.items():
        table(root / f"{part}.csv", CHEXPERT, rows)


def vindr_pcxr(root: Path, count: int) -> None:
    """DICOM in train and test, and a table of each."""
    of: dict[str, list[tuple[object, ...]]] = {"train": [], "test": []}
    for number, label, image in pictures(count):
        part = "train" if number < count * 2 // 3 else "test"
        save(root / part / f"v{number}.dicom", image)
        of[part].append((f"v{number}", "R1", 1.0 - label, 0.0, float(label), 0.0, 0.0))
    for part, rows in of.items():
        table(root / f"image_labels_{part}.csv", VINDR, rows)


def padchest(root: Path, count: int) -> None:
    """Numbered folders, and the table of 160,000."""
    rows = []
    for number, label, image in pictures(count):
        save(root / str(number % 4) / f"{number}_x.png", image)
        said = ("['normal']", "['pneumonia']")[label]
        place = (number, f"{number}_x.png", number % 4, 20140915, f"s{number}", f"p{number}", 1938.0, "F")
        rows.append((*place, "POSTEROANTERIOR", "PA", "Manual", "No", "Physician", said, "[]"))
    table(root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv", PADCHEST, rows)


def covid_radiography(root: Path, count: int) -> None:
    """Four classes, two of which are read, and masks."""
    for name in ("COVID", "Lung_Opacity"):
        save(root / name / "images" / f"{name}-1.png", np.zeros((40, 40), np.uint8))
    for number, label, image in pictures(count):
        name = ("Normal", "Viral Pneumonia")[label]
        save(root / name / "images" / f"{name}-{number}.png", image)
        save(root / name / "masks" / f"{name}-{number}.png", image)


def medmnist(root: Path, count: int) -> None:
    """An archive of three parts."""
    drawn = list(pictures(count))
    content = {}
    for part, first, last in (("train", 0, 0.6), ("val", 0.6, 0.7), ("test", 0.7, 1)):
        chosen = drawn[int(first * count) : int(last * count)]
        small = [np.asarray(Image.fromarray(image).resize((28, 28))) for *_, image in chosen]
        content |= {f"{part}_images": np.stack(small), f"{part}_labels": np.array([[label] for _, label, _ in chosen])}
    root.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(root / "pneumoniamnist.npz", **content)


TREES: dict[str, Callable[[Path, int], None]] = {
    **{"kermany": kermany, "folders": folders, "manifest": manifest, "nih": nih, "rsna": rsna, "chexpert": chexpert},
    **{"vindr-pcxr": vindr_pcxr, "padchest": padchest, "covid-radiography": covid_radiography, "medmnist": medmnist},
}
FILES = {"manifest": "labels.csv", "medmnist": "pneumoniamnist.npz"}  # of the tree, named to --data
