"""A downloaded archive of the X-rays, unpacked: Kaggle's with its nested twin, or Mendeley's, whoever packed it."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pneumobench.data.dataset import CLASSES
from pneumobench.data.fetch.members import Member, every_member
from pneumobench.data.fetch.place import placing
from pneumobench.data.layouts.kermany import SPLITS
from pneumobench.data.listing import HEAD, SUFFIXES, has_signature, summary
from pneumobench.errors import DataError
from pneumobench.utils.progress import Progress
from pneumobench.utils.space import no_space

NESTED = ".nested"  # where archives inside the archive lie while they are unpacked


class Placed(NamedTuple):
    """A member that is an image, its path in the target, and how deep it lies in the archive."""

    member: Member
    path: PurePosixPath
    depth: int


def unpack(archive: Path, target: Path, progress: Progress) -> Path:
    """Unpack the images of a zip file into a new folder `target`, in Kaggle's layout; the folder.

    Of several copies inside, the one nearest to the top is taken; `__MACOSX` and files that are no images are left out.
    Where it holds no images but archives, these are looked into.
    Raises: DataError for an archive that is damaged, holds no such images, has names that leave the target, links,
    unpacks to an implausible size, or is packed or encrypted as Python cannot read it; UsageError if `target` exists.
    Nothing is left half-unpacked.
    """
    try:
        with placing(target) as folder:
            with ExitStack() as opened:
                _unpack(archive, folder, opened, progress)
            shutil.rmtree(folder / NESTED, ignore_errors=True)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{archive} is not a complete zip archive: {' '.join(str(error).split())[:120]}") from error
    return target


def _unpack(archive: Path, folder: Path, opened: ExitStack, progress: Progress) -> None:
    every = every_member(archive, opened)
    placed = _placed(every)
    if not placed and any(member.is_archive for member in every):
        progress.stage("looking into the archives inside")
        every = every_member(archive, opened, folder / NESTED)
        placed = _placed(every)
    nearest, left = _nearest(placed, every, archive)
    if left:
        progress.note(summary(len(left), "no image of a class", left[0].path))
    needed = sum(one.member.size for one in nearest)
    if needed > shutil.disk_usage(folder).free:
        raise DataError(f"{no_space(folder.parent, needed)}; --to names another place")
    progress.stage(f"unpacking {len(nearest):,} images")
    for done, one in enumerate(nearest, 1):
        path = folder / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with one.member.open() as source, path.open("xb") as file:  # where "A.jpeg" is "a.jpeg", it is not replaced
            shutil.copyfileobj(source, file)
        if done % 64 == 0 or done == len(nearest):
            progress.advance(done, len(nearest))


def _placed(every: list[Member]) -> list[Placed]:
    return [Placed(member, *place) for member in every if (place := _place(member))]


def _nearest(placed: list[Placed], every: list[Member], archive: Path) -> tuple[list[Placed], list[Member]]:
    """The images to unpack, and the files that stay behind."""
    top = min((one.depth for one in placed), default=0)
    nearest = [one for one in placed if one.depth == top]
    held = {one.path.parts[:2] for one in nearest}
    missing = [f"{origin}/{name}" for origin in ("train", "test") for name in CLASSES if (origin, name) not in held]
    if missing:
        raise DataError(
            f"{archive} holds no images in {', '.join(missing)}; train and test, each with both classes, are needed"
        )
    if len({one.path for one in nearest}) < len(nearest):
        raise DataError(f"{archive} holds two files of one name")
    images = {one.member.path for one in placed}  # copies deeper down are no files that stay behind
    return nearest, [member for member in every if member.path not in images]


def _place(member: Member) -> tuple[PurePosixPath, int] | None:
    """`train/NORMAL/file.jpeg` of a member, and how deep it lies in the archive; None for what is not one."""
    parts = member.path.parts
    for depth in range(len(parts) - 2):
        origin = next((name for name, names in SPLITS.items() if parts[depth].lower() in names), None)
        label, file = parts[depth + 1].upper(), PurePosixPath(*parts[depth + 2 :])
        if origin and label in CLASSES:
            if file.suffix.lower() not in SUFFIXES:
                with member.open() as content:
                    if not has_signature(content.read(HEAD)):
                        return None
            return PurePosixPath(origin, label, file), depth
    return None
