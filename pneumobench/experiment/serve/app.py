"""The page and its one question as a web application: for this machine alone, and it stores nothing."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pneumobench.errors import PneumobenchError, UsageError
from pneumobench.experiment.serve.panel import Panel
from pneumobench.utils.jsonable import to_json

LOOPBACK = "127.0.0.1"
LIMIT = 64 * 2**20  # bytes of an upload: a detector of 43 x 43 cm at 0.1 mm has 37 MB uncompressed
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
POLICY = (
    "default-src 'none'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'"
)


def app(panel: Panel, host: str = LOOPBACK) -> Any:
    """A Starlette application: GET / is the page; POST /predict takes an image's bytes and returns JSON.

    The file's name never leaves the browser. Answers other than 200 are one line, as `{"error": …}`: 400 for what is
    no image, 403 for another site's script, 413 for more than 64 MiB.
    """
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, Response
    from starlette.routing import Route

    def failed(error: str, status: int) -> Response:
        return JSONResponse({"error": error}, status, headers=HEADERS)

    async def page(request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = {"Content-Security-Policy": POLICY.format(nonce=nonce)}
        return HTMLResponse(render(panel, nonce), headers=HEADERS | policy)

    async def predict(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return failed("another site's page may not ask", 403)
        content = await _body(request.headers, request.stream)
        if content is None:
            return failed(f"the file is larger than {LIMIT // 2**20} MB", 413)
        if not content:
            return failed("the file is empty", 400)
        try:
            answer = await run_in_threadpool(panel.ask, content)
        except PneumobenchError as error:
            return failed(" ".join(str(error).split()), 400)
        return JSONResponse(to_json(answer), headers=HEADERS)

    # a name that leads here by another site's trick (DNS rebinding) is refused
    hosts = [host, "localhost"] if is_loopback(host) else ["*"]
    return Starlette(
        routes=[Route("/", page), Route("/predict", predict, methods=["POST"])],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
    )


async def _body(headers: Any, stream: Callable[[], Any]) -> bytes | None:
    """A request's body, read into memory; None where it is too large, which is seen before it is read."""
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > LIMIT:
        return None
    content = bytearray()
    async for part in stream():
        content += part
        if len(content) > LIMIT:
            return None
    return bytes(content)


def render(panel: Panel, nonce: str) -> str:
    """The page, which needs no other file."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("page.html.j2").render(panel=panel, nonce=nonce, limit=LIMIT)


def serve(panel: Panel, port: int, host: str = LOOPBACK, ready: Callable[[str], None] = lambda address: None) -> None:
    """Serve the page until Ctrl-C; `ready` is called with its address once it may be opened.

    Raises: UsageError where the port is taken.
    """
    import uvicorn

    if not 1 <= port <= 65535:
        raise UsageError(f"--port is 1 to 65535, not {port}")
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UsageError(f"cannot listen at {host}, port {port} ({error.strerror}); --port names another") from None
    with listening:
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        # no access log: who asked what is kept nowhere
        config = uvicorn.Config(app(panel, host), log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listening])


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    return host in (LOOPBACK, "localhost", "::1") or host.startswith("127.")
