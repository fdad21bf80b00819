"""What `data info` counts, and that it decodes nothing and opens no test image."""

import numpy as np
from PIL import Image, PngImagePlugin

from pneumobench.data import decode, info
from pneumobench.data.options import DataOptions
from pneumobench.utils.progress import Progress


def test_counts_by_split_class_subtype_and_patient(phantom_folder, dataset):
    facts = info.gather(DataOptions(data=phantom_folder), Progress())
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
    info.gather(DataOptions(data=copy), Progress())
    assert opened
    assert not [path for path in opened if copy / "test" in path.parents]


def test_unreadable_files_are_named(copy):
    path = next((copy / "train" / "NORMAL").iterdir())
    path.write_text("no image")
    assert info.gather(DataOptions(data=copy), Progress()).unreadable == [path.relative_to(copy).as_posix()]


def test_what_decided_the_range_of_grey_values_is_counted(copy, cli):
    inside = copy / "train" / "NORMAL"
    files = sorted(inside.iterdir())
    for number, path in enumerate(files[:5]):
        with Image.open(path) as image:
            grey = np.asarray(image.convert("L"))
        path.unlink()
        twelve = (grey.astype(np.uint16) << 4) | 15
        declared = PngImagePlugin.PngInfo()
        if number < 2:
            declared.add(b"sBIT", bytes([12]))
        frames = [Image.fromarray(twelve)] * 2 if number == 4 else []
        kind = {"save_all": True, "append_images": frames} if frames else {"pnginfo": declared}
        Image.fromarray(twelve).save(path.with_suffix(".tif" if frames else ".png"), **kind)
    facts = info.gather(DataOptions(data=copy), Progress())
    eight = sum(facts.modes.values()) - 5
    assert facts.depths == {"8 bits": eight, "12 bits by the 99.9th percentile": 3, "12 bits declared": 2}
    assert facts.several_frames == 1
    shown = " ".join(cli("data", "info", "--data", str(copy), COLUMNS="200").stdout.split())
    said = f"range of grey values: 8 bits ({eight}), 12 bits by the 99.9th percentile (3), 12 bits declared (2)"
    assert said in shown
    assert "1 hold several pages or frames, of which one is read" in shown
