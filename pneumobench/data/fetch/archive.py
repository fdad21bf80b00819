"""A downloaded archive of the X-rays, unpacked: Kaggle's with its nested twin, or Mendeley's."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from pneumobench.data.dataset import CLASSES
from pneumobench.data.fetch.place import placing
from pneumobench.data.layouts.kermany import SPLITS
from pneumobench.data.listing import HEAD, SUFFIXES, has_signature, is_leftover, summary
from pneumobench.errors import DataError
from pneumobench.utils.progress import Progress

Member = tuple[zipfile.ZipInfo, PurePosixPath]

LARGEST = 50 * 10**9  # bytes unpacked: the full-size release has 1.3 GB
RATIO = 100  # unpacked to packed, of a whole archive: JPEG hardly shrinks, a zip bomb does


def unpack(archive: Path, target: Path, progress: Progress) -> Path:
    """Unpack the images of a zip file into a new folder `target`, in Kaggle's layout; the folder.

    Of several copies inside, the one nearest to the top is taken; `__MACOSX` and files that are no images are left out.
    Raises: DataError for an archive that is damaged, holds no such images, has names that leave the target, links,
    or unpacks to an implausible size; UsageError if `target` exists. Nothing is left half-unpacked.
    """
    try:
        with zipfile.ZipFile(archive) as opened, placing(target) as folder:
            members, left = _members(opened, archive)
            if left:
                progress.note(summary(len(left), "no image of a class", left[0]))
            progress.stage(f"unpacking {len(members):,} images")
            for done, (member, inside) in enumerate(members, 1):
                path = folder / inside
                path.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, path.open("wb") as file:
                    shutil.copyfileobj(source, file)
                if done % 64 == 0 or done == len(members):
                    progress.advance(done, len(members))
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{archive} is not a complete zip archive: {' '.join(str(error).split())[:120]}") from error
    except OSError as error:
        raise DataError(f"cannot read {archive}: {error.strerror or error}") from error
    return target


def _members(opened: zipfile.ZipFile, archive: Path) -> tuple[list[Member], list[str]]:
    """The images to unpack, each with its path in the target, and the names of the files that stay behind."""
    every = [member for member in opened.infolist() if not member.is_dir()]
    for member in every:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise DataError(f"{archive} holds a name that leaves the target: {member.filename}")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(f"{archive} holds a link: {member.filename}")
    unpacked, packed = sum(m.file_size for m in every), sum(m.compress_size for m in every)
    if unpacked > LARGEST or unpacked > RATIO * max(packed, 10**6):
        raise DataError(
            f"{archive} unpacks to {unpacked / 1e9:,.1f} GB from {packed / 1e6:,.1f} MB: too much for a set of X-rays"
        )
    every = [member for member in every if not any(map(is_leftover, _path(member).parts))]
    placed = [(member, *place) for member in every if (place := _place(opened, member))]
    top = min((depth for *_, depth in placed), default=0)
    nearest = [(member, place) for member, place, depth in placed if depth == top]
    copies = {member.filename for member, _, depth in placed if depth > top}
    held = {place.parts[:2] for _, place in nearest}
    missing = [f"{origin}/{name}" for origin in ("train", "test") for name in CLASSES if (origin, name) not in held]
    if missing:
        raise DataError(
            f"{archive} holds no images in {', '.join(missing)}; train and test, each with both classes, are needed"
        )
    if len({place for _, place in nearest}) < len(nearest):
        raise DataError(f"{archive} holds two files of one name")
    taken = {member.filename for member, _ in nearest} | copies
    return nearest, [member.filename for member in every if member.filename not in taken]


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    """A member's path; Windows writes it with backslashes."""
    return PurePosixPath(member.filename.replace("\\", "/"))


def _place(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[PurePosixPath, int] | None:
    """`train/NORMAL/file.jpeg` of a member, and how deep it lies in the archive; None for what is not one."""
    parts = _path(member).parts
    for depth in range(len(parts) - 2):
        origin = next((name for name, names in SPLITS.items() if parts[depth].lower() in names), None)
        label, file = parts[depth + 1].upper(), PurePosixPath(*parts[depth + 2 :])
        if origin and label in CLASSES:
            if file.suffix.lower() not in SUFFIXES:
                with opened.open(member) as content:
                    if not has_signature(content.read(HEAD)):
                        return None
            return PurePosixPath(origin, label, file), depth
    return None
