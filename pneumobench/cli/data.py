"""`pneumobench data`: fetch images, count them, check them, and clear the caches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pneumobench.cli import layouts
from pneumobench.cli.manifest import manifest
from pneumobench.cli.options import READING, AsJson, TrackingUri, grouped

if TYPE_CHECKING:
    from pneumobench.data.audit import Audit
    from pneumobench.data.info import Facts

app = typer.Typer(help="Fetch images, count them, check them, and clear the caches.", no_args_is_help=True)
fetching = typer.Typer(help="Download or unpack the public X-rays; what arrives is verified.", no_args_is_help=True)
app.add_typer(fetching, name="fetch")
app.add_typer(layouts.app, name="layouts")
app.command("manifest")(manifest)

FOLDER = Path("data/chest_xray")
To = Annotated[Path, typer.Option(metavar="DIR", help="The new folder.")]


@fetching.command("kaggle")
def kaggle(to: To = FOLDER) -> None:
    """Fetch the release on Kaggle (paultimothymooney/chest-xray-pneumonia, 1.2 GB), by kagglehub."""
    from pneumobench.cli.progress import watching
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
    from pneumobench.cli.progress import watching
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
    from pneumobench.cli.progress import watching
    from pneumobench.data.fetch.archive import unpack

    with watching() as progress:
        path = unpack(archive, to, progress)
    _say(path)


@app.command("info")
@grouped(data=READING)
def info(data: Any, as_json: AsJson = False) -> None:
    """Count images by split, class, subtype and patient; their sizes and modes; the fingerprint; the cache."""
    from pneumobench.cli import render
    from pneumobench.cli.progress import watching
    from pneumobench.data.info import gather

    with watching() as progress:
        facts = gather(data, progress)
    if as_json:
        render.print_json(facts)
    else:
        _show_facts(facts)


@app.command("audit")
@grouped(data=READING)
def audit(
    data: Any,
    include_test: Annotated[
        bool, typer.Option("--include-test", help="Decode the test images too; recorded in the ledger.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Also write the findings with pictures, as one file.", show_default=False)
    ] = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Find leaks, duplicates, label conflicts, unreadable images and shortcuts, the worst for a result first."""
    from pneumobench.cli import render
    from pneumobench.cli.progress import watching
    from pneumobench.data import audit
    from pneumobench.data.audit.html import write
    from pneumobench.data.load import load
    from pneumobench.data.lockbox import Look
    from pneumobench.tracking.store import Store

    with watching() as progress:
        progress.stage("reading file names and hashes")
        images = load(data, progress, skip_unreadable=True).dataset
        ledger = Store(tracking_uri).ledger
        test = (ledger, Look.now(dataset=images.name, fingerprint=images.fingerprint)) if include_test else None
        audited = audit.audit(images, progress, test=test)
        if html is not None:
            write(audited, images, html)
    if as_json:
        render.print_json(audited)
        return
    _show_audit(audited)
    if html is not None:
        render.show(f"Report: {html}")


@app.command("clear-cache")
def clear_cache() -> None:
    """Remove decoded images, frozen features, hashes, unpacked archives and interrupted downloads."""
    from pneumobench.data import disk_cache

    freed = disk_cache.clear()
    typer.echo(f"freed {freed / 1e6:,.1f} MB in {disk_cache.folder()}")


def _say(path: Path) -> None:
    typer.echo(f"{path} is complete. Train on it: pneumobench run baseline --data {path}")


def _show_facts(facts: Facts) -> None:
    from pneumobench.cli import render

    lines = [
        f"{facts.dataset}: {facts.images:,} images of {facts.patients:,} patients, fingerprint {facts.fingerprint}",
        *(f"{name}: median {m:g}, {low:g} to {high:g} pixels" for name, (m, low, high) in facts.sizes.items()),
        "modes: " + ", ".join(f"{count:,} {mode}" for mode, count in facts.modes.items()),
        "range of grey values: " + ", ".join(f"{depth} ({count:,})" for depth, count in facts.depths.items()),
        f"cache: {facts.cache_bytes / 1e9:,.2f} of {facts.cache_limit / 1e9:g} GB in {facts.cache}",
    ]
    if facts.unmatched:
        lines.append(f"{facts.unmatched:,} images have no known patient: each is its own")
    if facts.several_frames:
        lines.append(f"{facts.several_frames:,} hold several pages or frames, of which one is read")
    if facts.unreadable:
        lines.append(f"{len(facts.unreadable)} unreadable: {', '.join(facts.unreadable[:5])}")
    lines += [*facts.notes, *facts.not_read]
    if facts.columns:
        lines.append(f"columns: {', '.join(facts.columns)}")
    lines.append("Sizes and modes are of train and val; of the test images names and hashes are read.")
    words, counts = ("split", "class", "subtype"), ("images", "patients")
    rows = [[*(row[name] for name in words), *(f"{row[name]:,}" for name in counts)] for row in facts.table]
    render.show(render.table((*words, *counts), rows, right=counts), *lines)


def _show_audit(audit: Audit) -> None:
    from pneumobench.cli import render

    if audit.findings:
        findings = [(finding.kind, finding.text) for finding in audit.findings]
        render.show(render.table(("kind", "finding"), findings, whole=("kind",)))
    if audit.clear:
        render.show(f"Looked for and not found: {', '.join(audit.clear)}.")
    if audit.not_looked_for:
        kinds = "; ".join(f"{kind} ({why})" for kind, why in audit.not_looked_for.items())
        render.show(f"Not looked for: {kinds}.")
    side = "test images included (see the ledger)"
    if not audit.includes_test:
        side = "only names and hashes of the test images"
    many = f"{len(audit.findings)} finding{'s' * (len(audit.findings) != 1)}"
    render.show(
        f"{audit.dataset} {audit.fingerprint[:8]}: {many} in {audit.images:,} images, "
        f"{audit.decoded:,} decoded, {side}; {audit.seconds:.0f} s"
    )
