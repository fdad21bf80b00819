"""Chromium without a window, for tests of pages: its DevTools protocol over aiohttp, which MLflow brings."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0"),
)
PATIENCE = 60.0  # seconds


def executable() -> str | None:
    """Chromium's or Chrome's program; None where neither is installed."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Tab:
    """One page: `call` sends a command of the protocol and returns its result, `evaluate` runs JavaScript."""

    def __init__(self, socket: Any):
        self._socket, self._numbers = socket, itertools.count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            answer = await asyncio.wait_for(self._socket.receive_json(), PATIENCE)
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return dict(answer["result"])

    async def evaluate(self, script: str) -> Any:
        done = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    async def wait_for(self, script: str) -> Any:
        """The first value of a script that is true. Fails after a minute."""
        for _ in range(int(PATIENCE / 0.1)):
            if value := await self.evaluate(script):
                return value
            await asyncio.sleep(0.1)
        raise AssertionError(f"never true: {script}")

    async def open(self, address: str) -> None:
        await self.call("Page.enable")
        await self.call("Page.navigate", url=address)
        await self.wait_for(
            f"document.readyState === 'complete' && location.href !== 'about:blank' && {address!r} !== ''"
        )

    async def upload(self, selector: str, file: Path) -> None:
        """Choose a file in an `<input type=file>`, as a user's dialog does."""
        found = await self.call("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        await self.call("DOM.setFileInputFiles", files=[str(file)], objectId=found["result"]["objectId"])

    async def drop(self, selector: str, file: Path) -> None:
        """Drop a file onto the middle of an element."""
        box = await self.evaluate(
            f"(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector({json.dumps(selector)})"
            ".getBoundingClientRect())"
        )
        data = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            await self.call("Input.dispatchDragEvent", type=kind, x=box[0], y=box[1], data=data)

    async def picture(self, file: Path, width: int = 1400, *, dark: bool = False, height: int | None = None) -> Path:
        """The whole page as a PNG, at a width."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=scheme)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        whole = height or await self.evaluate("document.documentElement.scrollHeight")
        await self.call("Emulation.setDeviceMetricsOverride", **size | {"height": whole})
        shot = await self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))
        return file


@asynccontextmanager
async def tab() -> AsyncIterator[Tab]:
    """A page of a browser that ends with the block, with a profile of its own."""
    import aiohttp

    program = executable()
    assert program, "no Chromium is installed"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port = await _port(Path(profile) / "DevToolsActivePort", browser)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    page = next(one for one in await answer.json() if one["type"] == "page")
                async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Tab(socket)
        finally:
            browser.terminate()
            browser.wait(20)


async def _port(file: Path, browser: subprocess.Popen[bytes]) -> int:
    for _ in range(int(PATIENCE / 0.1)):
        assert browser.poll() is None, "the browser ended"
        if file.exists() and (lines := file.read_text().split()):
            return int(lines[0])
        await asyncio.sleep(0.1)
    raise AssertionError("the browser did not open its port")
