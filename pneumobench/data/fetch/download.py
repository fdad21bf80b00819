"""One file from the network: checked by its hash (pooch), resumed after a break, in place only when complete."""

from __future__ import annotations

import errno
import logging
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pneumobench.data import disk_cache
from pneumobench.errors import DataError
from pneumobench.utils.hashing import text_hash
from pneumobench.utils.progress import Progress

TRIES = 3
CONNECT, STALL = 10, 30  # seconds to wait for a connection, and for the next bytes
CHUNK = 2**16


def download(url: str, target: Path, checksum: str, progress: Progress) -> Path:
    """Fetch `url` to `target`, unless it is there already; `checksum` is "md5:…" or "sha256:…".

    What was received before a break is kept in the cache, and the next call resumes there.
    Raises: DataError in one line: no network, a stall, no space, a wrong checksum. `target` is untouched then.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)
    part = disk_cache.folder() / "downloads" / f"{text_hash(url, 8)}.part"
    getter = _Resuming(part, progress)
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{part}{disk_cache.LOCK}", timeout=0):
            pooch.retrieve(url, checksum, fname=target.name, path=target.parent, downloader=getter)
    except Timeout:
        raise DataError(f"{url} is being fetched by another process") from None
    except requests.RequestException as error:
        raise DataError(f"{_why(error)}: {url}. {getter.kept()}") from error
    except ValueError as error:  # raised by pooch for a wrong hash
        part.unlink(missing_ok=True)
        raise DataError(f"{url} is not the file that was expected: its {checksum.partition(':')[0]} differs") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DataError(f"no space left for {target.name}: {_megabytes(getter.total)} are needed") from error
        raise DataError(f"cannot write {target}: {error.strerror or error}. {getter.kept()}") from error
    part.unlink(missing_ok=True)
    return target


class _Resuming:
    """What pooch calls to download: appends to a `.part` file, and hands it over when it is complete."""

    def __init__(self, part: Path, progress: Progress):
        self._part, self._progress, self.total = part, progress, 0

    def __call__(self, url: str, output: str, pooch: Any) -> None:
        import requests

        for attempt in range(TRIES):
            try:
                self._append(url)
                break
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                if attempt == TRIES - 1:
                    raise
        shutil.copyfile(self._part, output)

    def _append(self, url: str) -> None:
        import requests

        have = self._part.stat().st_size if self._part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=(CONNECT, STALL)) as answer:
            if have and answer.status_code == requests.codes.requested_range_not_satisfiable:
                return  # the file is complete; its checksum is verified next
            answer.raise_for_status()
            if answer.status_code != requests.codes.partial_content:
                have = 0  # a server that cannot resume sends the whole file again
            self.total = have + int(answer.headers.get("Content-Length", 0))
            free = shutil.disk_usage(self._part.parent).free
            if self.total - have > free:
                raise OSError(errno.ENOSPC, "No space left on device")
            with self._part.open("ab" if have else "wb") as file:
                for chunk in answer.iter_content(CHUNK):
                    file.write(chunk)
                    have += len(chunk)
                    self._progress.advance(have, self.total or have)

    def kept(self) -> str:
        """How much is kept for the next call, in a sentence."""
        have = self._part.stat().st_size if self._part.exists() else 0
        of = f" of {_megabytes(self.total)}" if self.total else ""
        return f"{_megabytes(have)}{of} are kept, and the same command resumes there" if have else "Nothing is kept"


def _why(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"the server is silent for {STALL} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "IncompleteRead" in str(error):
        return "the connection broke"
    return "silent server" if "Read timed out" in str(error) else "no connection"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
