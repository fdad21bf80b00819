"""`pneumobench data`: fetch images, count them, check them, and clear what is kept of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pneumobench.cli.options import AsJson, Data, TrackingUri

app = typer.Typer(help="Fetch images, count them, check them, and clear what is kept of them.", no_args_is_help=True)
fetching = typer.Typer(help="Bring the public X-rays here, checked and whole.", no_args_is_help=True)
app.add_typer(fetching, name="fetch")

FOLDER = Path("data/chest_xray")
To = Annotated[Path, typer.Option(metavar="DIR", help="The new folder.")]


@fetching.command("kaggle")
def kaggle(to: To = FOLDER) -> None:
    """Fetch the release on Kaggle (paultimothymooney/chest-xray-pneumonia, 1.2 GB), by kagglehub."""
    from pneumobench.cli.display import watching
    from pneumobench.data.fetch import kaggle

    with watching() as progress:
        path = kaggle.fetch(to, progress)
    _say(path)


@fetching.command("medmnist")
def medmnist(
    size: Annotated[int, typer.Option(help="Pixels a side: 28, 64, 128 or 224.")] = 224,
    to: Annotated[Path, typer.Option(metavar="DIR", help="The folder to put the archive into.")] = Path("data"),
) -> None:
    """Fetch PneumoniaMNIST+ (4,708 + 524 + 624 images, without patients' keys), checked by its MD5."""
    from pneumobench.cli.display import watching
    from pneumobench.data.fetch import medmnist

    with watching() as progress:
        path = medmnist.fetch(size, to, progress)
    _say(path)


@fetching.command("zip")
def unzip(
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="A downloaded archive, Kaggle's or Mendeley's.")],
    to: To = FOLDER,
) -> None:
    """Unpack a downloaded archive; links, names that leave the folder and absurd sizes are refused."""
    from pneumobench.cli.display import watching
    from pneumobench.data.fetch.archive import unpack

    with watching() as progress:
        path = unpack(archive, to, progress)
    _say(path)


@app.command("info")
def info(data: Data = None, as_json: AsJson = False) -> None:
    """Count images by split, class, subtype and patient; their sizes and modes; the fingerprint; the cache."""
    from pneumobench.cli import data_tables
    from pneumobench.cli.display import watching
    from pneumobench.data.info import gather

    with watching() as progress:
        found = gather(data, progress)
    data_tables.show_facts(found, as_json=as_json)


@app.command("audit")
def audit(
    data: Data = None,
    include_test: Annotated[
        bool, typer.Option("--include-test", help="Decode the test images too; that stands in the ledger.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Also write the findings with pictures, as one file.", show_default=False)
    ] = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Find leaks, duplicates, label conflicts, unreadable images and shortcuts, the worst for a result first."""
    from pneumobench.cli import data_tables
    from pneumobench.cli.display import watching
    from pneumobench.data import audit, locate
    from pneumobench.data.audit.html import write
    from pneumobench.data.load import load_folder
    from pneumobench.data.lockbox import Look
    from pneumobench.tracking.store import Store

    with watching() as progress:
        progress.stage("reading file names and hashes")
        found = load_folder(locate.find(data, progress.stage).root, skip_unreadable=True, advance=progress.advance)
        ledger = Store(tracking_uri).ledger
        test = (ledger, Look.now(dataset=found.name, fingerprint=found.fingerprint)) if include_test else None
        audited = audit.audit(found, progress, test=test)
        if html is not None:
            write(audited, found, html)
    data_tables.show_audit(audited, as_json=as_json)
    if html is not None and not as_json:
        typer.echo(f"Report: {html}")


@app.command("clear-cache")
def clear_cache() -> None:
    """Remove decoded images, frozen features, hashes, unpacked archives and broken-off downloads."""
    from pneumobench.data import disk_cache

    freed = disk_cache.clear()
    typer.echo(f"freed {freed / 1e6:,.1f} MB in {disk_cache.folder()}")


def _say(path: Path) -> None:
    typer.echo(f"{path} is whole. Train on it: pneumobench run baseline --data {path}")
