"""A manifest of any folder of images, for a person to edit."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from pneumobench.data.dataset import CLASSES
from pneumobench.data.layout import Listing
from pneumobench.errors import UsageError
from pneumobench.utils import files

FIELDS = ("path", "label", "patient", "split", "subtype")


def write(listing: Listing, to: Path) -> Path:
    """Write a row an image, with paths relative to the manifest; separated by tabs where its suffix is .tsv.

    Raises: UsageError where there is a file already, or it cannot be written.
    """
    if to.suffix.lower() not in (".csv", ".tsv"):
        raise UsageError(f"a manifest is written as .csv or .tsv, not as '{to.suffix}'")
    if to.exists():
        raise UsageError(f"{to} already exists")
    root = os.path.relpath(listing.root.resolve(), to.absolute().parent.resolve()).replace(os.sep, "/")
    names = list(dict.fromkeys(name for row in listing.rows for name in row.columns))
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t" if to.suffix.lower() == ".tsv" else ",", lineterminator="\n")
    writer.writerow((*FIELDS, *names))
    for row in listing.rows:
        path = row.path if root == "." or row.path.startswith("/") else f"{root}/{row.path}"
        known = (path, CLASSES[row.label], row.patient or "", row.split, row.subtype)
        writer.writerow((*known, *(row.columns.get(name, "") for name in names)))
    return files.write_text(to, text.getvalue())
