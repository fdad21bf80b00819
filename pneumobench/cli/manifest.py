"""`pneumobench data manifest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pneumobench.cli.options import HOW, grouped


@grouped(how=HOW)
def manifest(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="Folder or manifest of images.", show_default=False)],
    how: Any,
    to: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The new manifest, .csv or .tsv.")] = Path(
        "labels.csv"
    ),
) -> None:
    """Write a table with a row an image, to edit: path, label, patient, split, and what else the layout knows."""
    from pneumobench.data import detect, locate
    from pneumobench.data.write_manifest import write

    listing = detect.read(locate.find(data).root.expanduser(), how.reading)
    path = write(listing, to)
    for line in listing.not_read:
        typer.echo(line)
    typer.echo(f"wrote {len(listing.rows):,} rows to {path}. Train on it: pneumobench run baseline --data {path}")
