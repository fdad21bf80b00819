"""What `data info` counts, and that it decodes nothing and opens no test image."""

from pneumobench.data import decode, info
from pneumobench.utils.progress import Progress


def test_counts_by_split_class_subtype_and_patient(phantom_folder, dataset):
    facts = info.gather(phantom_folder, Progress())
    assert sum(row["images"] for row in facts.table) == facts.images == len(dataset)
    assert {(row["split"], row["class"]) for row in facts.table} == {
        (split, name) for split in ("train", "test") for name in ("NORMAL", "PNEUMONIA")
    }
    assert facts.fingerprint == dataset.fingerprint
    assert sum(facts.modes.values()) == int((dataset.origins != "test").sum())
    assert facts.sizes["width"][1] <= facts.sizes["width"][0] <= facts.sizes["width"][2]


def test_no_test_image_is_opened(copy, monkeypatch):
    opened, whole = [], decode.opened
    monkeypatch.setattr(decode, "opened", lambda path: (opened.append(path), whole(path))[1])
    info.gather(copy, Progress())
    assert opened
    assert not [path for path in opened if copy / "test" in path.parents]


def test_unreadable_files_are_named(copy):
    path = next((copy / "train" / "NORMAL").iterdir())
    path.write_text("no image")
    assert info.gather(copy, Progress()).unreadable == [path.relative_to(copy).as_posix()]
