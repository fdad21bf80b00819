"""A dataset's facts and findings as tables, or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pneumobench.utils.jsonable import to_json

if TYPE_CHECKING:
    from pneumobench.data.audit import Audit
    from pneumobench.data.info import Facts


def show_facts(facts: Facts, *, as_json: bool) -> None:
    """Print what `data info` counted."""
    if as_json:
        print(json.dumps(to_json(facts), indent=2))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("split", "class", "subtype"):
        table.add_column(name)
    for name in ("images", "patients"):
        table.add_column(name, justify="right")
    for row in facts.table:
        table.add_row(row["split"], row["class"], row["subtype"], f"{row['images']:,}", f"{row['patients']:,}")
    console.print(table)
    lines = [
        f"{facts.dataset}: {facts.images:,} images of {facts.patients:,} patients, fingerprint {facts.fingerprint}",
        *(f"{name}: median {m:g}, {low:g} to {high:g} pixels" for name, (m, low, high) in facts.sizes.items()),
        "modes: " + ", ".join(f"{count:,} {mode}" for mode, count in facts.modes.items()),
        f"cache: {facts.cache_bytes / 1e9:,.2f} of {facts.cache_limit / 1e9:g} GB in {facts.cache}",
    ]
    if facts.unmatched:
        lines.append(f"{facts.unmatched:,} file names match no patient rule: each is its own patient")
    if facts.unreadable:
        lines.append(f"{len(facts.unreadable)} unreadable: {', '.join(facts.unreadable[:5])}")
    lines.append("Sizes and modes are of train and val; of the test images names and hashes are read.")
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def show_audit(audit: Audit, *, as_json: bool) -> None:
    """Print the findings, the worst for a result first."""
    if as_json:
        print(json.dumps(to_json(audit), indent=2))
        return
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("kind", no_wrap=True)
    table.add_column("finding", overflow="fold")
    for finding in audit.findings:
        table.add_row(finding.kind, escape(finding.text))
    if audit.findings:
        console.print(table)
    if audit.clear:
        console.print(f"Looked for and not found: {', '.join(audit.clear)}.", soft_wrap=True)
    side = (
        "test images included (see the ledger)" if audit.includes_test else "of the test images names and hashes alone"
    )
    many = f"{len(audit.findings)} finding{'s' * (len(audit.findings) != 1)}"
    console.print(
        f"{audit.dataset} {audit.fingerprint[:8]}: {many} in {audit.images:,} images, "
        f"{audit.decoded:,} looked at, {side}; {audit.seconds:.0f} s",
        markup=False,
        soft_wrap=True,
    )
