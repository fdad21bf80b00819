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
