"""`pneumobench ledger`, `send` and `ui`: what the tracking store holds, and what it has not taken yet."""

from __future__ import annotations

from typing import Annotated

import typer

from pneumobench.cli.options import AsJson, TrackingUri


def ledger(tracking_uri: TrackingUri = None, as_json: AsJson = False) -> None:
    """List every look at the test images: when, by which command and run, on which images."""
    from pneumobench.cli import render
    from pneumobench.tracking.store import Store

    ledger = Store(tracking_uri).ledger
    looks = ledger.looks()
    if as_json:
        render.print_json({"ledger": str(ledger.path), "looks": looks})
        return
    if not looks:
        render.show(f"No look at any test image is recorded in {ledger.path}")
        return
    rows = []
    for look in looks:
        when = look.when.replace("+00:00", "").replace("T", " ")
        images = f"{look.dataset} {look.fingerprint[:8]}"
        rows.append((when, look.plugin, images, look.run[:8], look.commit[:8], look.command))
    headings = ("when (UTC)", "plugin", "dataset", "run", "commit", "command")
    render.show(render.table(headings, rows), f"{len(looks)} look{'s' * (len(looks) > 1)}, in {ledger.path}")


def send(tracking_uri: TrackingUri = None, as_json: AsJson = False) -> None:
    """Send the tracking store what it did not take when a run ended, and was kept on this machine."""
    from pneumobench.cli import render
    from pneumobench.errors import TrackingError
    from pneumobench.tracking import kept
    from pneumobench.tracking.store import Store

    store = Store(tracking_uri)
    sent, failed = kept.send_all(store)
    if as_json:
        render.print_json({"sent": sent, "failed": failed})
    else:
        render.show(*(f"run {run_id} is complete" for run_id in sent), *failed)
        if not sent and not failed:
            render.show(f"Nothing is kept for this store in {store.folder / 'kept'}")
    if failed:
        raise TrackingError(f"{len(failed)} of {len(sent) + len(failed)} runs could not be sent")


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
    # job execution doubles the server's memory, and pneumobench does not use it
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
