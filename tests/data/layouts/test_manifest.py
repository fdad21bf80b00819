import time

import numpy as np
import pytest
from PIL import Image

from pneumobench.data import detect, split
from pneumobench.data.layout import Reading
from pneumobench.data.load import load_folder
from pneumobench.data.options import DataOptions
from pneumobench.data.write_manifest import write
from pneumobench.errors import DataError, UsageError


@pytest.fixture
def ward(tmp_path):
    """Eight images of six patients in a folder of their own, and no manifest yet."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for number in range(8):
        Image.fromarray(rng.integers(0, 256, (16, 16), dtype=np.uint8)).save(tmp_path / "images" / f"{number}.png")
    return tmp_path


def listed(folder, text, name="labels.csv", **reading):
    (folder / name).write_text(text)
    return detect.read(folder / name, Reading(**reading))


def test_columns_stand_in_any_order_and_case_and_paths_may_be_windows(ward):
    listing = listed(ward, "Age,LABEL,Path,Patient\n7,Pneumonia,images\\1.png,p\n,normal,./images/0.png,\n")
    assert [(row.path, row.label, row.patient, dict(row.columns)) for row in listing.rows] == [
        ("images/0.png", 0, None, {"age": ""}),
        ("images/1.png", 1, "p", {"age": "7"}),
    ]
    assert listing.name == ward.name


@pytest.mark.parametrize(
    ("labels", "reading"),
    [
        (("0", "1"), {}),
        (("0.0", "1.0"), {}),
        (("FALSE", "true"), {}),
        (("No Finding", "Effusion|Pneumonia"), {}),
        (("well", "ill"), {"positive": ("Ill",), "negative": ("well",)}),
    ],
)
def test_labels_have_many_names(ward, labels, reading):
    listing = listed(ward, f"path,label\nimages/0.png,{labels[0]}\nimages/1.png,{labels[1]}\n", **reading)
    assert [row.label for row in listing.rows] == [0, 1]
    assert listing.not_read == ()


def test_what_cannot_be_used_is_one_line_a_kind(ward):
    text = "path,label\n" + "".join(
        f"{path},{label}\n"
        for path, label in (
            *(("images/0.png", 0), ("images/0.png", 0), ("images/1.png", 1)),
            *(("gone.png", 0), ("images/9.png", 1), ("images/2.png", ""), ("images/3.png", "Effusion"), ("", 1)),
            *(("images/4.png", 0), ("images/4.png", 1)),
        )
    )
    listing = listed(ward, text)
    assert [row.path for row in listing.rows] == ["images/0.png", "images/1.png"]
    assert set(listing.not_read) == {
        "1 row left out (listed before), such as images/0.png",
        "2 rows left out (no such file), such as gone.png",
        "1 row left out (no label), such as images/2.png",
        "1 row left out (neither positive nor negative), such as 'Effusion' (images/3.png)",
        "1 row left out (no path), such as the one with label '1'",
        "1 row left out (labelled both ways), such as images/4.png",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.png,1\n", "no column path; say which it is with --columns path=NAME. It has: file, label"),
        ("path,label\na.png,1\n", "no row of .* can be used: 1 row left out .no such file.*--root names the folder"),
        ("path,label\nimages/0.png,maybe\n", "'maybe'.*labels are .*normal.* against .*pneumonia"),
        ("path,label\nhttps://x.org/a.png,1\ns3://b/c.png,1\n", "2 images by address, such as https://x.org/a.png"),
        ("path,label,split\nimages/0.png,1,later\n", "the split 'later' .images/0.png.; train, val and test"),
    ],
)
def test_a_manifest_that_says_nothing_gets_one_line(ward, text, message):
    with pytest.raises(DataError, match=message) as caught:
        listed(ward, text)
    assert "\n" not in str(caught.value)


def test_columns_and_root_can_be_named(ward):
    options = DataOptions(columns='path="Image Index",label=Finding, with a comma,age=Years', root=ward / "images")
    assert options.reading.columns == {"path": "Image Index", "label": "Finding, with a comma", "age": "Years"}
    text = 'image index,Years,"Finding, with a comma"\n0.png,5,0\n1.png,6,1\n'
    (ward / "elsewhere").mkdir()
    (ward / "elsewhere" / "mine.csv").write_text(text)
    listing = detect.read(ward / "elsewhere" / "mine.csv", options.reading)
    assert [dict(row.columns) for row in listing.rows] == [{"age": "5"}, {"age": "6"}]
    assert (listing.root, listing.name) == (ward / "images", "mine")
    with pytest.raises(UsageError, match=r"--columns path=Nope: .* has no such column; it has image index"):
        detect.read(ward / "elsewhere" / "mine.csv", Reading(columns={"path": "Nope"}))
    with pytest.raises(UsageError, match="--columns is FIELD=NAME"):
        DataOptions(columns="path")


def test_a_division_is_drawn_once_by_patients_and_stays(ward):
    rows = [f"images/{n}.png,{n % 2},p{n // 2 * 2 + n % 2}\n" for n in range(8)]
    (ward / "labels.csv").write_text("path,label,patient\n" + "".join(rows[:6]))
    first = load_folder(ward / "labels.csv", DataOptions(test_fraction=0.4))
    assert sorted(first.labels[first.origins == "test"]) == [0, 1]
    assert not set(first.patients[first.origins == "test"]) & set(first.patients[first.origins != "test"])
    assert "2 of 6 images are drawn as test images" in first.notes[0]
    assert (ward / "labels.split.csv").exists()
    (ward / "labels.csv").write_text("path,label,patient\n" + "".join(rows))
    again = load_folder(ward / "labels.csv")
    assert set(first.hashes[first.origins == "test"]) == set(again.hashes[again.origins == "test"])
    assert "2 images of new patients are for training" in again.notes[0]


def test_where_the_folder_cannot_be_written_the_division_is_kept_in_runs(ward, tmp_path, monkeypatch):
    from pneumobench.data import kept_split

    monkeypatch.chdir(tmp_path)
    write_text = kept_split.files.write_text

    def refusing(path, text):
        if not str(path).startswith("runs"):
            raise UsageError("read-only")
        return write_text(path, text)

    monkeypatch.setattr(kept_split.files, "write_text", refusing)
    (ward / "labels.csv").write_text("path,label\n" + "".join(f"images/{n}.png,{n % 2}\n" for n in range(8)))
    first, again = (load_folder(ward / "labels.csv") for _ in range(2))
    assert first.fingerprint == again.fingerprint
    assert "the division kept in runs/splits/labels-" in again.notes[0]


def test_patients_are_found_by_a_pattern_where_nothing_else_says_them(ward):
    rows = "".join(f"images/{n}.png,{n % 2},{'known' if n == 0 else ''},test\n" for n in range(8))
    (ward / "labels.csv").write_text("path,label,patient,split\n" + rows)
    plain = load_folder(ward / "labels.csv")
    assert plain.unmatched == 7
    found = load_folder(ward / "labels.csv", DataOptions(patient_pattern=r"images/(\d)"))
    assert set(found.patients) == {"known", *map(str, range(1, 8))}
    with pytest.raises(UsageError, match=r"--patient-pattern .* is not a regular expression"):
        DataOptions(patient_pattern="(")


def test_two_sites_have_their_own_patients(ward):
    rows = "".join(f"images/{n}.png,{n % 2},p{n},test,{'AB'[n // 4]}\n" for n in range(8)).replace("p4", "p0")
    (ward / "labels.csv").write_text("path,label,patient,split,site\n" + rows)
    dataset = load_folder(ward / "labels.csv")
    assert {"A:p0", "B:p0"} <= set(dataset.patients)


def test_a_dataset_of_test_images_alone_is_never_trained_on(ward):
    (ward / "metadata.csv").write_text("path,label,split\n" + "".join(f"images/{n}.png,{n % 2},test\n" for n in (0, 1)))
    dataset = load_folder(ward)
    assert set(dataset.origins) == {"test"}
    with pytest.raises(DataError, match="has test images alone: a model may be judged on them, never trained"):
        split.split(dataset)
    with pytest.raises(DataError, match="--test-fraction is for images without a division"):
        load_folder(ward, DataOptions(test_fraction=0.2))


def test_a_manifest_of_a_release_is_the_same_dataset(dataset, copy, tmp_path):
    (copy / "phantom.json").unlink()
    path = write(detect.read(copy), tmp_path / "lists" / "labels.csv")
    again = load_folder(path)
    assert again.fingerprint == dataset.fingerprint
    assert (sorted(again.patients), sorted(again.subtypes)) == (sorted(dataset.patients), sorted(dataset.subtypes))
    with pytest.raises(UsageError, match="already exists"):
        write(detect.read(copy), path)


def test_a_hundred_thousand_rows_are_read_in_seconds(ward):
    rows = [f"images/{n % 8}.png,{n % 2}\n" if n < 8 else f"gone/{n}.png,1\n" for n in range(100_000)]
    began = time.perf_counter()
    listing = listed(ward, "path,label\n" + "".join(rows))
    assert time.perf_counter() - began < 20
    assert len(listing.rows) == 8
    assert "99,992 rows left out (no such file)" in listing.not_read[0]
