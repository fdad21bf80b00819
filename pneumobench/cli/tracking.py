"""`pneumobench ledger` and `pneumobench ui`: what stands in the tracking store."""

from __future__ import annotations

from typing import Annotated

import typer

from pneumobench.cli.options import AsJson, TrackingUri


def ledger(tracking_uri: TrackingUri = None, as_json: AsJson = False) -> None:
    """List every look at the test images: when, by which command and run, on which images."""
    from dataclasses import asdict

    from pneumobench.tracking.store import Store

    found = Store(tracking_uri).ledger
    looks = found.looks()
    if as_json:
        import json

        typer.echo(json.dumps({"ledger": str(found.path), "looks": [asdict(look) for look in looks]}, indent=2))
        return
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not looks:
        console.print(f"No look at any test image is written in {escape(str(found.path))}")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=escape(f"{len(looks)} looks, in {found.path}"))
    for name in ("when (UTC)", "plugin", "dataset", "run", "commit", "command"):
        table.add_column(name, overflow="fold")
    for look in looks:
        images = f"{look.dataset} {look.fingerprint[:8]}"
        when = look.when.replace("+00:00", "").replace("T", " ")
        table.add_row(*map(escape, (when, look.plugin, images, look.run[:8], look.commit[:8], look.command)))
    console.print(table)


def ui(
    tracking_uri: TrackingUri = None,
    port: Annotated[int, typer.Option(help="Port on this machine's loopback address.")] = 5000,
) -> None:
    """Open MLflow's UI on the tracking store, on this machine alone, until Ctrl-C."""
    import os
    import socket
    import subprocess
    import sys

    from pneumobench.errors import UsageError
    from pneumobench.tracking import view
    from pneumobench.tracking.store import Store
    from pneumobench.utils.provenance import redact

    if not 1 <= port <= 65535:
        raise UsageError(f"--port is 1 to 65535, not {port}")
    store = Store(tracking_uri)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"port {port} is taken ({error.strerror}); --port names another") from None
    store.close_abandoned()
    server_address = f"http://127.0.0.1:{port}"
    print(f"MLflow on {redact(store.uri)}: {server_address} (Ctrl-C ends it)", flush=True)
    for name, experiment in store.experiments().items():
        print(f"{name}, the highest test AUROC first: {view.address(server_address, experiment)}", flush=True)
    # job execution doubles the server's memory, and nothing here uses it
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", store.uri, "--workers", "1"]
    if store.artifacts:
        command += ["--default-artifact-root", store.artifacts]
    server = subprocess.Popen(command, env=environment)
    try:
        raise typer.Exit(server.wait())
    finally:
        server.terminate()
        server.wait()
