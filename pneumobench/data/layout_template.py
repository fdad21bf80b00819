"""The template of a new layout: small, commented, and it reads a folder as written."""

from __future__ import annotations

from pathlib import Path

from pneumobench.data.detect import LAYOUTS
from pneumobench.utils import files

TEXT = '''\
"""{title}: … (say in one line whose images these are, and how they are laid out).

… (what counts as pneumonia, what is left out, who labelled it)

    pneumobench run baseline --data …
"""

from __future__ import annotations

from pathlib import Path

from pneumobench.data import finder
from pneumobench.data.layout import Layout, Listing, Reading, Row
from pneumobench.data.left_out import LeftOut

MARK = "{name}.txt"  # the file by which a folder is known


def read(path: Path, reading: Reading) -> Listing:
    """A row an image; here `sick/p07-AP.png` is pneumonia, of the patient p07, in the view AP."""
    left_out, rows = LeftOut(), []
    for image in finder.by_path(path):  # paths in the folder, sorted
        folder, _, file = image.rpartition("/")
        label = {{"healthy": 0, "sick": 1}}.get(folder)
        if label is None:
            left_out.add(f"in {{folder or 'no folder'}}, which is no class", image)
            continue
        patient, _, view = Path(file).stem.partition("-")
        # split="train", "val" or "test" where the release has them; columns are view, age, sex, site and any other
        rows.append(Row(image, label, patient=patient or None, columns={{"view": view}}))
    finder.used(rows, left_out.lines(), path)
    return Listing(path, rows, left_out.lines())


layout = Layout(
    is_own=lambda path: (path / MARK).is_file(),
    read=read,
    citation="… (who made the images, and where that is said)",
    licence="… (on which terms)",
)
'''


def write(name: str, folder: Path | None = None) -> Path:
    """Write a new layout into `folder` (default: the user's folder of layouts, else `layouts` here).

    Raises: UsageError for a name that is not a valid module name, or is taken; nothing is overwritten.
    """
    path = LAYOUTS.free(name, folder)
    return files.write_text(path, TEXT.format(name=name, title=name.replace("_", " ").capitalize()))
