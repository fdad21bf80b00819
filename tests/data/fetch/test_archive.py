"""Archives: Kaggle's with its twin and Mendeley's are unpacked; what is unsafe is refused and leaves nothing."""

import stat
import zipfile

import pytest

from pneumobench.data.fetch import archive as archives
from pneumobench.data.load import load_folder
from pneumobench.errors import DataError, UsageError
from pneumobench.utils.progress import Progress


@pytest.fixture
def pack(phantom_folder, tmp_path):
    """Packs the phantom's images under prefixes, with extra members; the archive."""

    def make(*prefixes, extra=()):
        path = tmp_path / "archive.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for prefix in prefixes:
                for file in sorted(phantom_folder.rglob("*.jpeg")):
                    archive.write(file, f"{prefix}{file.relative_to(phantom_folder).as_posix()}")
            for name, content in extra:
                archive.writestr(name, content)
        return path

    return make


def unpack(path, to):
    return archives.unpack(path, to, Progress())


@pytest.mark.parametrize(
    "prefixes", [("",), ("chest_xray/",), ("chest_xray/", "chest_xray/chest_xray/", "chest_xray/__MACOSX/")]
)
def test_every_layout_gives_the_same_dataset(prefixes, pack, dataset, tmp_path):
    extra = [("chest_xray/.DS_Store", b"x"), ("__MACOSX/train/NORMAL/._a.jpeg", b"x"), ("readme.txt", b"x")]
    folder = unpack(pack(*prefixes, extra=extra), tmp_path / "xrays")
    assert sorted(path.name for path in folder.iterdir()) == ["test", "train"]
    assert load_folder(folder).fingerprint == dataset.fingerprint


class Named(zipfile.ZipInfo):
    """A member whose name is written byte for byte, as other packers do, with or without the flag for UTF-8."""

    raw, says_utf8 = b"", False

    def _encodeFilenameFlags(self):  # noqa: N802
        return self.raw, self.flag_bits | (0x800 if self.says_utf8 else 0)


def as_packed(phantom_folder, path, name, says_utf8=False):
    """The phantom's images in an archive, each under the bytes that `name` makes of its path."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(phantom_folder.rglob("*.jpeg")):
            member = Named(file.name)
            member.raw, member.says_utf8 = name(file.relative_to(phantom_folder)), says_utf8
            archive.writestr(member, file.read_bytes())
    return path


def test_backslashes_as_windows_writes_them(phantom_folder, dataset, tmp_path):
    path = as_packed(phantom_folder, tmp_path / "x.zip", lambda p: "\\".join(("chest_xray", *p.parts)).encode())
    with zipfile.ZipFile(path, "a") as archive:
        for folder in ("chest_xray\\", "chest_xray\\train\\NORMAL\\", "chest_xray\\train\\NORMAL\\more\\"):
            member = Named(f"{len(folder)}")
            member.raw = folder.encode()
            archive.writestr(member, b"")
    notes = []
    progress = Progress()
    progress.note = lambda *words: notes.append(words)
    assert load_folder(archives.unpack(path, tmp_path / "xrays", progress)).fingerprint == dataset.fingerprint
    assert notes == []


@pytest.mark.parametrize("coding", ["utf-8", "utf-8 unsaid", "cp437"])
def test_names_beyond_ascii(phantom_folder, dataset, tmp_path, coding):
    code, says = ("cp437", False) if coding == "cp437" else ("utf-8", coding == "utf-8")
    path = as_packed(
        phantom_folder, tmp_path / "x.zip", lambda p: f"Röntgen/{p.parent.as_posix()}/é{p.name}".encode(code), says
    )
    folder = unpack(path, tmp_path / "xrays")
    assert len(list(folder.rglob("é*.jpeg"))) == len(dataset)


@pytest.mark.parametrize("split", [False, True])
def test_archives_in_an_archive(pack, phantom_folder, dataset, tmp_path, split):
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        outer.writestr("Mendeley data/readme.txt", "x")
        outer.writestr("Mendeley data/none.zip", b"not an archive")
        if split:
            for origin in ("train", "test"):
                with zipfile.ZipFile(tmp_path / "inner.zip", "w") as inner:
                    for file in sorted((phantom_folder / origin).rglob("*.jpeg")):
                        inner.write(file, file.relative_to(phantom_folder / origin))
                outer.write(tmp_path / "inner.zip", f"Mendeley data/{origin}.zip")
        else:
            outer.write(pack("chest_xray/"), "Mendeley data/ChestXRay2017.zip")
    folder = unpack(tmp_path / "outer.zip", tmp_path / "xrays")
    assert load_folder(folder).fingerprint == dataset.fingerprint
    assert sorted(path.name for path in folder.iterdir()) == ["test", "train"]


@pytest.mark.parametrize("depth", [1, 3])
def test_top_folders_too_many(pack, dataset, tmp_path, depth):
    assert load_folder(unpack(pack("top/" * depth), tmp_path / "xrays")).fingerprint == dataset.fingerprint


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {10: b"\x09\0"},
            "is packed with deflate64, as Windows does above 2 GB, which Python does not read; unpack it",
        ),
        ({10: b"\x5d\0"}, "is packed with method 93, which Python does not read"),
        ({8: b"\x01\0"}, "is encrypted; unpack it with Explorer, 7-Zip or unzip, and name the folder with --data"),
    ],
)
def test_codings_that_python_does_not_read_are_said_in_one_line(pack, tmp_path, change, message):
    content = bytearray(pack("").read_bytes())
    entry = content.find(b"PK\x01\x02")  # the central directory's first entry
    for offset, value in change.items():
        content[entry + offset : entry + offset + len(value)] = value
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(DataError, match=message):
        unpack(tmp_path / "x.zip", tmp_path / "xrays")
    assert not (tmp_path / "xrays").exists()


def test_a_full_disk_is_said_with_the_size_before_anything_is_unpacked(pack, tmp_path, monkeypatch):
    usage = archives.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(
        DataError, match=r"no space left in .* for 0\.\d+ MB, 0\.001 MB are free; --to names another place"
    ):
        unpack(pack(""), tmp_path / "new" / "xrays")
    assert list((tmp_path / "new").iterdir()) == []


def link(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ([("../outside.jpeg", b"x")], r"leaves the target: \.\./outside"),
        ([("/etc/outside.jpeg", b"x")], "leaves the target: /etc"),
        ([("train\\..\\..\\x.jpeg", b"x")], "leaves the target"),
        ([(link("train/NORMAL/link.jpeg"), "/etc/passwd")], "holds a link: train/NORMAL/link.jpeg"),
        (
            [("train/NORMAL/" + "IM-0001-0001.jpeg", b"x"), ("Train/NORMAL/IM-0001-0001.jpeg", b"y")],
            "two files of one name",
        ),
    ],
)
def test_what_is_unsafe_is_refused_and_leaves_nothing(extra, message, pack, tmp_path):
    with pytest.raises(DataError, match=message):
        unpack(pack("", extra=extra), tmp_path / "new" / "xrays")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(3):
            archive.writestr(f"train/NORMAL/{i}.jpeg", bytes(60_000_000))
    with pytest.raises(DataError, match=r"unpacks to 0\.2 GB from 0\.2 MB: too much for a set of X-rays"):
        unpack(tmp_path / "bomb.zip", tmp_path / "xrays")


def test_a_damaged_or_foreign_archive_is_one_line(pack, tmp_path):
    whole = pack("").read_bytes()
    damaged = bytearray(whole)
    damaged[2000] ^= 255
    for name, content in (("torn.zip", whole[: len(whole) // 2]), ("text.zip", b"hello"), ("flip.zip", bytes(damaged))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="is not a complete zip archive"):
            unpack(tmp_path / name, tmp_path / "xrays")
        assert not (tmp_path / "xrays").exists()
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("train/NORMAL/a.jpeg", b"x")
    with pytest.raises(DataError, match="holds no images in train/PNEUMONIA, test/NORMAL, test/PNEUMONIA"):
        unpack(tmp_path / "other.zip", tmp_path / "xrays")
    with pytest.raises(DataError, match="No such file"):
        unpack(tmp_path / "absent.zip", tmp_path / "xrays")


def test_what_is_there_already_is_left_alone(pack, tmp_path):
    (tmp_path / "xrays").mkdir()
    (tmp_path / "xrays" / "mine").write_text("x")
    with pytest.raises(UsageError, match="is there already"):
        unpack(pack(""), tmp_path / "xrays")
    assert [path.name for path in (tmp_path / "xrays").iterdir()] == ["mine"]
