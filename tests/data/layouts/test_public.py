"""Each public release on a generated tree of its exact shape: names of files and columns, and its odd rows."""

import numpy as np
import pytest
from PIL import Image

from pneumobench.data import detect
from pneumobench.data.layout import Reading
from pneumobench.data.load import load_folder
from pneumobench.data.options import DataOptions
from pneumobench.errors import DataError, UsageError


def images(folder, *names):
    """Small pictures, no two alike."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(list(str(path).encode()))
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(path, format="PNG")


def told(listing):
    return {row.path: (row.label, row.split, row.patient) for row in listing.rows}


NIH = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
NIH += "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"


@pytest.mark.parametrize(("name", "end", "age"), [("_v2020", "", "58"), ("", ",", "058Y")])
def test_nih(tmp_path, name, end, age):
    images(tmp_path, *(f"images_00{n // 3 + 1}/images/0000000{n}_000.png" for n in range(1, 6)))
    findings = ["Cardiomegaly|Emphysema", "No Finding", "Infiltration|Pneumonia", "No Finding", "Pneumonia"]
    rows = [f"0000000{n}_000.png,{f},0,{n},{age},M,PA,2682,2749,0.143,0.143{end}" for n, f in enumerate(findings, 1)]
    rows.append(f"00000009_000.png,No Finding,0,9,414,F,AP,2682,2749,0.143,0.143{end}")
    (tmp_path / f"Data_Entry_2017{name}.csv").write_text("\n".join([NIH + end, *rows]) + "\n")
    assert detect.layout_of(tmp_path) == "nih"
    listing = detect.read(tmp_path)
    assert told(listing)["images_002/images/00000003_000.png"] == (1, "", "3")
    assert [row.label for row in listing.rows] == [0, 1, 0, 1]
    assert dict(listing.rows[1].columns) == {
        **{"view": "PA", "age": "58", "sex": "M", "followup": "0"},
        "findings": "Infiltration|Pneumonia",
    }
    assert listing.not_read == (
        "1 image left out (neither Pneumonia nor No Finding), such as 00000001_000.png (Cardiomegaly|Emphysema)",
        "1 image left out (no such file), such as 00000009_000.png",
    )
    (tmp_path / "train_val_list.txt").write_text("00000002_000.png\n00000003_000.png\n")
    (tmp_path / "test_list.txt").write_text("00000004_000.png\n00000005_000.png\n")
    assert [row.split for row in detect.read(tmp_path).rows] == ["train", "train", "test", "test"]
    assert len(load_folder(tmp_path)) == 4


def test_rsna(tmp_path):
    images(tmp_path, *(f"stage_2_train_images/{name}.dcm" for name in "abcd"), "stage_2_test_images/e.dcm")
    (tmp_path / "stage_2_train_labels.csv").write_text(
        "patientId,x,y,width,height,Target\na,,,,,0\nb,1,2,3,4,1\nb,5,6,7,8,1\nc,,,,,0\nd,,,,,0\n"
    )
    (tmp_path / "stage_2_detailed_class_info.csv").write_text(
        "patientId,class\na,Normal\nb,Lung Opacity\nb,Lung Opacity\nc,No Lung Opacity / Not Normal\nd,Lung Opacity\n"
    )
    assert detect.layout_of(tmp_path) == "rsna"
    listing = detect.read(tmp_path)
    assert told(listing) == {
        "stage_2_train_images/a.dcm": (0, "", None),
        "stage_2_train_images/b.dcm": (1, "", None),
    }
    assert listing.not_read == (
        "1 image left out ('No Lung Opacity / Not Normal'), such as c",
        "1 image left out (its class and its target differ), such as d",
    )


CHEXPERT = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,"
CHEXPERT += "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,"
CHEXPERT += "Fracture,Support Devices\n"


def test_chexpert(tmp_path):
    root = tmp_path / "CheXpert-v1.0-small"
    root.mkdir()
    of = {"train": "", "valid": ""}
    for number, (folder, view, normal, pneumonia) in enumerate(
        (
            *(("train", "frontal", "1.0", ""), ("train", "lateral", "1.0", ""), ("train", "frontal", "", "1.0")),
            *(("train", "frontal", "", "-1.0"), ("train", "frontal", "", "0.0")),
            *(("valid", "frontal", "1.0", "0.0"), ("valid", "frontal", "0.0", "1.0")),
        )
    ):
        image = f"{folder}/patient{number:05}/study1/view1_{view}.jpg"
        images(root, image)
        ap = "AP" if view == "frontal" else ""
        of[folder] += f"CheXpert-v1.0-small/{image},Female,68,{view.title()},{ap},{normal},,,,,,,{pneumonia},,,,,,1.0\n"
    for folder, rows in of.items():
        (root / f"{folder}.csv").write_text(CHEXPERT + rows)
    assert detect.layout_of(root) == "chexpert"
    listing = detect.read(root)
    assert told(listing)["train/patient00002/study1/view1_frontal.jpg"] == (1, "", "patient00002")
    assert len(listing.rows) == 4
    assert dict(listing.rows[0].columns) == {"view": "AP", "age": "68", "sex": "F"}
    assert {line.partition(", such")[0] for line in listing.not_read} == {
        "1 image left out (a lateral view)",
        "1 image left out (Pneumonia is uncertain)",
        "1 image left out (neither Pneumonia nor No Finding)",
    }
    (root / "test.csv").write_text("Path,No Finding,Pneumonia\ntest/patient9/study1/view1_frontal.jpg,1.0,0.0\n")
    images(root, "test/patient9/study1/view1_frontal.jpg")
    assert {row.split for row in detect.read(root).rows} == {"train", "val", "test"}


VINDR = "image_id,rad_ID,No finding,Bronchitis,Brocho-pneumonia,Other disease,Bronchiolitis,Situs inversus,Pneumonia,"
VINDR += "Pleuro-pneumonia,Diagphramatic hernia,Tuberculosis,Congenital emphysema,CPAM,Hyaline membrane disease,"
VINDR += "Mediastinal tumor,Lung tumor\n"


def vindr(image, reader, **said):
    names = VINDR.strip().split(",")[2:]
    cells = ["1.0" if name.lower().replace(" ", "_").replace("-", "_") in said else "0.0" for name in names]
    return ",".join([image, reader, *cells]) + "\n"


@pytest.mark.parametrize("folder", [".", "annotations"])
def test_vindr_pcxr(tmp_path, folder):
    images(tmp_path, *(f"train/{name}.dicom" for name in "abcde"), "test/f.dicom", "test/g.dicom")
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "image_labels_train.csv").write_text(
        VINDR
        + vindr("a", "R1", no_finding=1)
        + vindr("b", "R1", brocho_pneumonia=1)
        + vindr("c", "R1", bronchitis=1)
        + "".join(vindr("d", f"R{n}", **({"pneumonia": 1} if n < 3 else {"no_finding": 1})) for n in (1, 2, 3))
        + vindr("e", "R1", pneumonia=1)
        + vindr("e", "R2", no_finding=1)
    )
    (tmp_path / folder / "image_labels_test.csv").write_text(
        VINDR + vindr("f", "", no_finding=1) + vindr("g", "", pleuro_pneumonia=1)
    )
    assert detect.layout_of(tmp_path) == "vindr-pcxr"
    listing = detect.read(tmp_path)
    assert told(listing) == {
        "test/f.dicom": (0, "test", None),
        "test/g.dicom": (1, "test", None),
        "train/a.dicom": (0, "train", None),
        "train/b.dicom": (1, "train", None),
        "train/d.dicom": (1, "train", None),
    }
    assert listing.not_read == (
        "1 image left out (neither pneumonia nor No finding), such as c",
        "1 image left out (readers disagree), such as e",
    )


PADCHEST = ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,ViewPosition_DICOM,"
PADCHEST += "Projection,MethodProjection,Pediatric,MethodLabel,Labels,Localizations\n"


def test_padchest(tmp_path):
    said = ["['normal']", "['pneumonia', 'infiltrates']", "['normal', 'scoliosis']", "", "['normal']", "['normal']"]
    images(tmp_path, *(f"{n // 3}/{n}_x.png" for n in range(5)))
    rows = "".join(
        f"{n},{n}_x.png,{n // 3},20140915,s{n},p{n},1938.0,F,POSTEROANTERIOR,{'L' if n == 4 else 'AP_horizontal'},"
        f'Manual,No,Physician,"{labels}",[]\n'
        for n, labels in enumerate(said)
    )
    (tmp_path / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv").write_text(PADCHEST + rows)
    assert detect.layout_of(tmp_path) == "padchest"
    listing = detect.read(tmp_path)
    assert told(listing) == {"0/0_x.png": (0, "", "p0"), "0/1_x.png": (1, "", "p1")}
    assert dict(listing.rows[1].columns) == {
        **{"view": "AP", "age": "76", "sex": "F", "method": "Physician"},
        "findings": "infiltrates|pneumonia",
    }
    assert {line.partition(", such")[0] for line in listing.not_read} == {
        "1 image left out (neither pneumonia nor normal)",
        "1 image left out (no label)",
        "1 image left out (not a frontal view)",
        "1 image left out (no such file)",
    }


@pytest.mark.parametrize("inside", ["/images", ""])
def test_covid_radiography(tmp_path, inside):
    for name in ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia"):
        images(tmp_path, *(f"{name}{inside}/{name}-{n}.png" for n in (1, 2)))
        if inside:
            images(tmp_path, f"{name}/masks/{name}-1.png")
        (tmp_path / f"{name}.metadata.xlsx").write_bytes(b"PK")
    assert detect.layout_of(tmp_path) == "covid-radiography"
    listing = detect.read(tmp_path)
    assert [(row.path, row.label, row.subtype) for row in listing.rows] == [
        (f"Normal{inside}/Normal-1.png", 0, ""),
        (f"Normal{inside}/Normal-2.png", 0, ""),
        (f"Viral Pneumonia{inside}/Viral Pneumonia-1.png", 1, "viral"),
        (f"Viral Pneumonia{inside}/Viral Pneumonia-2.png", 1, "viral"),
    ]
    assert listing.not_read == (
        f"2 images left out (class COVID), such as COVID{inside}/COVID-1.png",
        f"2 images left out (class Lung_Opacity), such as Lung_Opacity{inside}/Lung_Opacity-1.png",
    )
    covid = detect.read(tmp_path, Reading(layout="covid-radiography", positive=("COVID",)))
    assert {row.path.partition("/")[0] for row in covid.rows} == {"Normal", "COVID"}


def test_class_folders_of_everyday_names_and_of_the_user_s(tmp_path):
    images(tmp_path, *(f"{name}/{n}.png" for name in ("0", "1", "odd") for n in range(6)))
    assert detect.layout_of(tmp_path) == "folders"
    listing = detect.read(tmp_path)
    assert [row.label for row in listing.rows] == [0] * 6 + [1] * 6
    assert listing.not_read == ("6 images left out (in odd, which names no class), such as odd/0.png",)
    dataset = load_folder(tmp_path, DataOptions(positive="odd", negative="0", test_fraction=0.5))
    assert [(o, int(y)) for o, y in zip(dataset.origins, dataset.labels, strict=True)] == (
        [("train", 0)] * 3 + [("train", 1)] * 3 + [("test", 0)] * 3 + [("test", 1)] * 3
    )
    with pytest.raises(DataError, match=r"no image in a folder called ill; name one with --positive. Found: 0, 1, odd"):
        detect.read(tmp_path, Reading(positive=("ill",)))
    with pytest.raises(UsageError, match="--positive says nothing to the layout nih"):
        detect.read(tmp_path, Reading(layout="nih", positive=("ill",)))


def test_class_folders_may_lie_in_those_of_a_split(tmp_path):
    images(tmp_path, *(f"{split}/{name}/x.png" for split in ("training", "test") for name in ("healthy", "sick")))
    images(tmp_path, "valid/sick/x.png")
    listing = detect.read(tmp_path, Reading(positive=("sick",), negative=("healthy",)))
    assert {row.path: row.split for row in listing.rows} == {
        **{"test/healthy/x.png": "test", "test/sick/x.png": "test", "valid/sick/x.png": "val"},
        **{"training/healthy/x.png": "train", "training/sick/x.png": "train"},
    }
