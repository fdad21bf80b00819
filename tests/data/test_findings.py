"""What names and hashes tell, and that a leak stops a run unless it is allowed, which marks it."""

import shutil

import pytest

import pneumobench
from pneumobench.data import findings
from pneumobench.data.load import load_folder
from pneumobench.errors import DataError
from pneumobench.tracking.runs import of_store


def add(folder, origin, name, file, source):
    return shutil.copy(next(iter(sorted((folder / source[0] / source[1]).iterdir()))), folder / origin / name / file)


def test_a_clean_dataset_has_none(dataset):
    assert findings.of_names(dataset) == ()


def test_they_are_ranked_by_what_they_can_do(copy):
    add(copy, "train", "NORMAL", "IM-9001-0001.jpeg", ("train", "NORMAL"))
    add(copy, "train", "NORMAL", "IM-9002-0001.jpeg", ("train", "PNEUMONIA"))
    add(copy, "test", "PNEUMONIA", "person903_virus_1.jpeg", ("train", "PNEUMONIA"))
    problems = findings.of_names(load_folder(copy))
    assert [one.kind for one in problems] == ["leak", "label conflict", "two patient keys", "identical files"]
    assert problems[-1].figures == {"groups": 2, "files": 5}
    assert [findings.KINDS.index(one.kind) for one in problems] == sorted(
        findings.KINDS.index(one.kind) for one in problems
    )


def test_a_name_that_tells_no_patient_makes_no_two_keys(copy):
    add(copy, "train", "NORMAL", "copy.jpeg", ("train", "NORMAL"))
    assert [one.kind for one in findings.of_names(load_folder(copy))] == ["identical files"]


def test_a_manifest_that_gives_one_file_two_patients_has_two_keys(tmp_path, copy):
    images = sorted(copy.rglob("*.jpeg"))
    shutil.copy(images[0], copy / "again.jpeg")
    rows = [(path, path.parent.name, path.stem) for path in images]
    rows.append((copy / "again.jpeg", rows[0][1], "someone else"))
    manifest = tmp_path / "labels.csv"
    manifest.write_text("path,label,patient\n" + "".join(f"{path},{label},{who}\n" for path, label, who in rows))
    (problem,) = (one for one in findings.of_names(load_folder(manifest)) if one.kind == "two patient keys")
    assert problem.figures == {"groups": 1}


@pytest.mark.slow
def test_a_leak_stops_a_run_unless_it_is_allowed_which_marks_it(copy, store):
    add(copy, "test", "PNEUMONIA", "person903_virus_1.jpeg", ("train", "PNEUMONIA"))
    with pytest.raises(DataError, match=r"leak: 1 patient in both training and test.*--allow-leak"):
        pneumobench.run("thumbnail", data=copy, tracking_uri=store.uri)
    assert of_store(store) == []
    result = pneumobench.run("thumbnail", data=copy, tracking_uri=store.uri, allow_leak=True)
    assert any(note.startswith("leak: 1 patient in both") for note in result.notes)
    (run,) = of_store(store)
    assert run.tags["leak"].startswith("1 patient in both training and test")
    assert "1 group of identical files, 2 files in all" in run.tags["audit"]
