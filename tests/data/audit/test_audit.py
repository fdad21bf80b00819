"""Findings in phantoms that were tampered with: each fault is found, named and ranked, and none is made up."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pneumobench.data import decode, decoders, disk_cache
from pneumobench.data.audit import audit, duplicates, image_stats, shortcuts
from pneumobench.data.audit.html import write
from pneumobench.data.load import load_folder
from pneumobench.data.lockbox import Ledger, Look
from pneumobench.utils.progress import Progress


def audited(folder, **options):
    return audit(load_folder(folder, skip_unreadable=True), Progress(), **options)


def kinds(checked):
    return [finding.kind for finding in checked.findings]


def first(folder, origin, name):
    return next(iter(sorted((folder / origin / name).iterdir())))


def recompressed(source, target):
    """Almost the same picture: smaller, brighter, of another quality."""
    with Image.open(source) as image:
        small = image.convert("L").resize((image.width * 3 // 4, image.height * 3 // 4))
        small.point(lambda value: min(255, value + 5)).save(target, quality=85)


def test_a_clean_phantom_has_no_leak_no_conflict_and_no_duplicate(phantom_folder):
    checked = audited(phantom_folder)
    assert not {"leak", "near leak", "label conflict", "identical files", "near duplicates", "unreadable"} & set(
        kinds(checked)
    )
    assert checked.decoded < checked.images
    assert {"leak", "label conflict", "identical files"} <= set(checked.clear)
    assert not {"near leak", "shift"} & set(checked.clear)  # the test images' pixels were not looked at


def test_another_decoder_looks_again(copy, monkeypatch):
    (copy / "train" / "NORMAL" / "IM-9001-0001.jpeg").write_text("no image")
    assert "unreadable" in kinds(audited(copy))
    monkeypatch.setattr(decode, "read", lambda path, size: pytest.fail("looked again"))
    assert "unreadable" in kinds(audited(copy))
    monkeypatch.undo()
    looked = []
    monkeypatch.setattr(decode, "read", lambda path, size, read=decode.read: looked.append(path) or read(path, size))
    monkeypatch.setattr(decoders, "VERSION", decoders.VERSION + 1)
    audited(copy)
    assert looked


def test_each_fault_is_found_and_the_worst_comes_first(copy):
    normal, ill = first(copy, "train", "NORMAL"), first(copy, "train", "PNEUMONIA")
    shutil.copy(normal, copy / "train" / "PNEUMONIA" / "person900_virus_1.jpeg")  # conflict, identical, two keys
    recompressed(ill, copy / "train" / "PNEUMONIA" / "person901_virus_1.jpeg")
    (copy / "train" / "NORMAL" / "IM-9001-0001.jpeg").write_text("no image")
    red = np.zeros((100, 100, 3), np.uint8)
    red[:50, :, 0] = 255
    Image.fromarray(red).save(copy / "train" / "NORMAL" / "IM-9002-0001.jpeg")
    checked = audited(copy)
    said = kinds(checked)
    assert said[0] == "label conflict"
    for kind in ("two patient keys", "near duplicates", "identical files", "unreadable", "odd"):
        assert said.count(kind) == 1, kind
    by_kind = {finding.kind: finding for finding in checked.findings}
    assert set(by_kind["near duplicates"].examples[0]) == {
        ill.relative_to(copy).as_posix(),
        "train/PNEUMONIA/person901_virus_1.jpeg",
    }
    assert "1 of them under two patients' names" in by_kind["near duplicates"].text
    assert "IM-9001-0001.jpeg: not an image" in by_kind["unreadable"].text
    rows = image_stats.gather(load_folder(copy, skip_unreadable=True), Progress()).oddities
    assert sum("it is in colour" in said for said in rows) == 1


def test_a_twin_in_the_test_folder_is_found_by_its_hash_and_an_almost_twin_only_with_the_test_images(copy, tmp_path):
    ill = first(copy, "train", "PNEUMONIA")
    shutil.copy(ill, copy / "test" / "PNEUMONIA" / "person902_virus_1.jpeg")
    recompressed(first(copy, "train", "NORMAL"), copy / "test" / "NORMAL" / "IM-9003-0001.jpeg")
    closed = audited(copy)
    assert kinds(closed)[0] == "leak"
    assert "near leak" not in kinds(closed)
    ledger, look = Ledger(tmp_path / "store"), Look.now(dataset="x", fingerprint="f")
    opened = audited(copy, test=(ledger, look))
    assert kinds(opened)[:2] == ["leak", "near leak"]
    assert len(ledger.looks()) == 1
    assert opened.decoded == opened.images
    html = write(opened, load_folder(copy), tmp_path / "audit.html").read_text()
    assert html.count('<img src="data:image/jpeg;base64,') >= 4
    assert "IM-9003-0001.jpeg" in html


def test_pictures_of_test_images_stay_out_of_a_page_that_did_not_open_them(copy, tmp_path):
    twin = copy / "test" / "NORMAL" / "IM-9004-0001.jpeg"
    shutil.copy(first(copy, "test", "NORMAL"), twin)
    checked = audited(copy)
    html = write(checked, load_folder(copy), tmp_path / "audit.html").read_text()
    assert "IM-9004-0001.jpeg" in html
    assert "<img" not in html.partition("identical files")[2].partition("</section>")[0]


def test_nor_do_they_where_the_folder_s_name_is_written_otherwise(copy, tmp_path):
    (copy / "test").rename(copy / "Test")
    shutil.copy(first(copy, "Test", "NORMAL"), copy / "Test" / "NORMAL" / "IM-9004-0001.jpeg")
    html = write(audited(copy), load_folder(copy), tmp_path / "audit.html").read_text()
    assert "<img" not in html.partition("identical files")[2].partition("</section>")[0]


def test_files_without_a_byte_are_among_the_unreadable(copy):
    first(copy, "train", "NORMAL").write_bytes(b"")
    checked = audited(copy)
    (unreadable,) = [finding for finding in checked.findings if finding.kind == "unreadable"]
    assert unreadable.figures == {"images": 1}
    assert "unreadable" not in checked.clear


def test_a_folder_of_files_that_are_no_images_is_told_so(copy):
    for path in (copy / "train").rglob("*.jpeg"):
        path.write_text(f"version https://git-lfs.github.com/spec/v1 {path.name}")
    assert kinds(audited(copy)) == ["unreadable"]


def test_what_is_kept_of_an_audit_is_made_again_where_it_is_torn(copy):
    (copy / "train" / "NORMAL" / "IM-9006-0001.jpeg").write_text("of this test alone")
    before = kinds(audited(copy))
    for path in disk_cache.folder().glob("audit/*/words.npz"):
        path.write_bytes(path.read_bytes()[:100])
    assert kinds(audited(copy)) == before


def test_a_trait_that_gives_the_class_away_is_a_shortcut(copy):
    for name, quality in (("NORMAL", 95), ("PNEUMONIA", 20)):
        for path in (copy / "train" / name).iterdir():
            with Image.open(path) as image:
                image.convert("L").save(path, quality=quality)
    shortcuts = {f.text.split(" alone")[0]: f for f in audited(copy).findings if f.kind == "shortcut"}
    assert shortcuts["file size"].figures["auroc"] > 0.9
    normal, ill = shortcuts["file size"].examples
    assert all("/NORMAL/" in path for path in normal)
    assert all("/PNEUMONIA/" in path for path in ill)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_chance_is_no_shortcut(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 400)
    patients = rng.integers(0, 200, 400).astype(str)
    area = shortcuts.auroc(labels, shortcuts.held_out(rng.normal(size=(400, 2)), labels, patients), patients)
    assert 0.3 < area[0] < 0.7
    assert area[1] <= area[0] <= area[2]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_every_pair_that_differs_in_fewer_than_eight_bits_is_found(seed):
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (60, 256)).astype(np.uint8)
    for twin in range(50, 60):  # of the first ten, with one to seven bits turned
        bits[twin] = bits[twin - 50]
        turned = rng.choice(256, rng.integers(1, 8), replace=False)
        bits[twin, turned] ^= 1
    pairs = duplicates.pairs_of(np.packbits(bits, axis=1), np.ones(60, bool), np.arange(60).astype(str))
    assert {tuple(pair) for pair in pairs.tolist()} == {(i, i + 50) for i in range(10)}


def test_the_command_says_it_in_a_table_and_in_json(copy, cli, tmp_path):
    shutil.copy(first(copy, "train", "NORMAL"), copy / "train" / "NORMAL" / "IM-9005-0001.jpeg")
    done = cli("data", "audit", "--data", str(copy), "--html", "audit.html")
    assert done.returncode == 0, done.stderr
    assert "1 group of identical files, 2 files in all" in " ".join(done.stdout.split())
    assert (tmp_path / "audit.html").exists()
    said = json.loads(cli("data", "audit", "--data", str(copy), "--json").stdout)
    assert [one["kind"] for one in said["findings"]].count("identical files") == 1
    assert not (tmp_path / "runs" / "ledger.jsonl").exists()
    cli("data", "audit", "--data", str(copy), "--include-test", "--json")
    assert "--include-test" in Ledger(tmp_path / "runs").looks()[0].command


@pytest.mark.parametrize("count", [12, 24])
def test_a_glaring_shortcut_is_found_among_few_images(tmp_path, count):
    root = drawn(tmp_path, count)
    assert "shortcut" in kinds(audited(root))


def test_what_was_not_looked_for_is_not_called_not_found(tmp_path):
    checked = audited(drawn(tmp_path, 6))
    assert checked.not_looked_for["shortcut"] == "a class has 6 patients, 10 are needed"
    assert "shift" in checked.not_looked_for
    assert not {"shortcut", "shift"} & set(checked.clear)


def drawn(folder, count):
    """So many images a class and split, those of pneumonia ten times darker."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        for label, name in enumerate(("NORMAL", "PNEUMONIA")):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                grey = rng.integers(100, 250, (80, 80)) // (10 if label else 1)
                Image.fromarray(grey.astype(np.uint8)).save(folder / split / name / f"{split}{name}{number}.png")
    return folder
