"""What a zip archive holds, as its packer meant it, and the archives inside it; what is unsafe is refused."""

from __future__ import annotations

import shutil
import stat
import zipfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from pneumobench.data.listing import is_leftover
from pneumobench.errors import DataError

LARGEST = 50 * 10**9  # bytes unpacked: the full-size release has 1.3 GB
RATIO = 100  # unpacked to packed, of a whole archive: JPEG hardly shrinks, a zip bomb does
READ = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
DEFLATE64, UTF8, ENCRYPTED = 9, 0x800, 0x1  # of a member's header: APPNOTE.TXT, 4.4.5 and 4.4.4
NESTING = 2  # archives in archives that are looked into


@dataclass(frozen=True)
class Member:
    """A file of an archive: its path there, that of an archive inside included as if it were a folder."""

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo
    path: PurePosixPath

    @property
    def size(self) -> int:
        """Bytes unpacked."""
        return self.info.file_size

    @property
    def is_archive(self) -> bool:
        """Whether its name says that it is a zip archive."""
        return self.path.suffix.lower() == ".zip"

    def open(self) -> IO[bytes]:
        """Its content. Raises: as zipfile does."""
        return self.archive.open(self.info)


def every_member(archive: Path, opened: ExitStack, nested: Path | None = None) -> list[Member]:
    """All files of an archive but those that systems leave there; `opened` keeps it open.

    With `nested`, a folder for them, archives inside are unpacked there and their files are listed in their stead.
    Raises: DataError for what is unsafe, or coded as Python cannot read it; as zipfile does for what is damaged.
    """
    try:
        whole = opened.enter_context(zipfile.ZipFile(archive))
    except OSError as error:
        raise DataError(f"cannot read {archive}: {error.strerror or error}") from error
    members = _listed(whole, PurePosixPath(), archive)
    for _ in range(NESTING if nested is not None else 0):
        inner = [member for member in members if member.is_archive]
        members = [member for member in members if not member.is_archive]
        for number, member in enumerate(inner):
            assert nested is not None
            nested.mkdir(exist_ok=True)
            file = nested / f"{len(list(nested.iterdir()))}-{number}.zip"
            with member.open() as source, file.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            with suppress(zipfile.BadZipFile):  # named so, but none
                inside = opened.enter_context(zipfile.ZipFile(file))
                members += _listed(inside, member.path.with_suffix(""), archive)
    return members


def _listed(opened: zipfile.ZipFile, folder: PurePosixPath, archive: Path) -> list[Member]:
    members = []
    for info in opened.infolist():
        name = _name(info)
        path = PurePosixPath(name)
        if name.endswith("/"):
            continue
        if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]:
            raise DataError(f"{archive} holds a name that leaves the target: {info.filename}")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise DataError(f"{archive} holds a link: {info.filename}")
        if not any(map(is_leftover, path.parts)):
            members.append(Member(opened, info, folder / path))
    unpacked, packed = sum(m.size for m in members), sum(m.info.compress_size for m in members)
    if unpacked > LARGEST or unpacked > RATIO * max(packed, 10**6):
        raise DataError(
            f"{archive} unpacks to {unpacked / 1e9:,.1f} GB from {packed / 1e6:,.1f} MB: too much for a set of X-rays"
        )
    for member in members:
        _check_coding(member, archive)
    return members


def _name(info: zipfile.ZipInfo) -> str:
    """A member's name with forward slashes; some on Windows write others, and some on a Mac UTF-8 without saying so."""
    name = info.filename
    if not info.flag_bits & UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _check_coding(member: Member, archive: Path) -> None:
    advice = "unpack it with Explorer, 7-Zip or unzip, and name the folder with --data"
    if member.info.flag_bits & ENCRYPTED:
        raise DataError(f"{archive} is encrypted; {advice}")
    if member.info.compress_type not in READ:
        coding = member.info.compress_type
        how = "deflate64, as Windows does above 2 GB" if coding == DEFLATE64 else f"method {coding}"
        raise DataError(f"{archive} is packed with {how}, which Python does not read; {advice}")
