"""Downloads from a real server on loopback that breaks off, corrupts, stalls and refuses."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from pneumobench.data import disk_cache
from pneumobench.data.fetch import download, medmnist
from pneumobench.errors import DataError, UsageError
from pneumobench.utils.progress import Progress

BODY = np.random.default_rng(0).bytes(1_000_000)
MD5 = "md5:" + hashlib.md5(BODY).hexdigest()


class Faulty(BaseHTTPRequestHandler):
    """Serves BODY from the wanted byte on, with the faults that its server lists for the requests to come."""

    def do_GET(self):
        self.server.asked.append(self.headers.get("Range"))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault == "refuse":
            self.send_error(503)
            return
        wanted = self.headers.get("Range") if fault != "no ranges" else None
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start >= len(BODY):
            self.send_error(416)
            return
        body = BODY[start:] if fault != "corrupt" else bytes(len(BODY) - start)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "break":
            body = body[: len(body) // 2]
        if fault == "stall":
            self.wfile.write(body[:1000])
            self.wfile.flush()
            time.sleep(1.5)
            return
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(download, "STALL", 0.5)
    monkeypatch.setattr(download, "CHUNK", 1000)  # what is cut off within a chunk is lost
    served = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    served.faults, served.asked = [], []
    served.url = f"http://127.0.0.1:{served.server_port}/file.npz"
    thread = threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()


def get(server, target, checksum=MD5, progress=None):
    return download.download(server.url, target, checksum, progress or Progress())


def left(target):
    """What lies in the target's folder, and how much of the download is kept."""
    parts = list((disk_cache.folder() / "downloads").glob("*.part"))
    inside = [path.name for path in target.parent.iterdir()] if target.parent.exists() else []
    return inside, sum(part.stat().st_size for part in parts)


def test_a_file_is_fetched_once_and_its_progress_told(server, tmp_path):
    told = []

    class Telling(Progress):
        def advance(self, done, total):
            told.append((done, total))

    target = tmp_path / "data" / "file.npz"
    assert get(server, target, progress=Telling()).read_bytes() == BODY
    assert told[-1] == (len(BODY), len(BODY))
    assert left(target) == (["file.npz"], 0)
    get(server, target)
    assert len(server.asked) == 1, "it is there already"


def test_a_broken_download_is_gone_on_with(server, tmp_path):
    server.faults = ["break", "break"]
    target = tmp_path / "data" / "file.npz"
    assert get(server, target).read_bytes() == BODY
    assert server.asked == [None, "bytes=500000-", "bytes=750000-"]


def test_what_stays_broken_is_one_line_and_the_next_call_goes_on(server, tmp_path):
    server.faults = ["break"] * 3
    target = tmp_path / "data" / "file.npz"
    with pytest.raises(
        DataError, match=r"connection broke: http.* 0\.9 MB of 1\.0 MB are kept, and the same command resumes"
    ):
        get(server, target)
    assert left(target) == ([], 875_000)
    assert get(server, target).read_bytes() == BODY
    assert server.asked[-1] == "bytes=875000-"
    assert left(target) == (["file.npz"], 0)


def test_a_server_that_cannot_go_on_sends_it_all_again(server, tmp_path):
    server.faults = ["break", "no ranges"]
    assert get(server, tmp_path / "data" / "file.npz").read_bytes() == BODY


def test_a_silent_server_is_given_up(server, tmp_path):
    server.faults = ["stall"] * 3
    target = tmp_path / "data" / "file.npz"
    began = time.monotonic()
    with pytest.raises(DataError, match="silent"):
        get(server, target)
    assert time.monotonic() - began < 10
    assert left(target)[0] == []


def test_a_wrong_checksum_leaves_nothing_and_keeps_nothing(server, tmp_path):
    server.faults = ["corrupt"]
    target = tmp_path / "data" / "file.npz"
    with pytest.raises(DataError, match="is not the file that was expected: its md5 differs"):
        get(server, target)
    assert left(target) == ([], 0)
    assert get(server, target).read_bytes() == BODY


def test_what_was_there_stays_where_a_download_fails(server, tmp_path):
    target = tmp_path / "data" / "file.npz"
    target.parent.mkdir()
    target.write_bytes(b"an older one")
    server.faults = ["corrupt"]
    with pytest.raises(DataError, match="md5 differs"):
        get(server, target)
    assert target.read_bytes() == b"an older one"


def test_a_refusal_and_no_connection_are_one_line(server, tmp_path):
    server.faults = ["refuse"]
    with pytest.raises(DataError, match=r"the server answers 503: http.*\. Nothing is kept"):
        get(server, tmp_path / "data" / "file.npz")
    with pytest.raises(DataError, match="no connection: http://127"):
        download.download("http://127.0.0.1:9/file.npz", tmp_path / "data" / "file.npz", MD5, Progress())


def test_no_space_is_said_before_a_byte_is_written(server, tmp_path, monkeypatch):
    import shutil

    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage)
    target = tmp_path / "data" / "file.npz"
    with pytest.raises(DataError, match=r"no space left for file\.npz: 1\.0 MB are needed"):
        get(server, target)
    assert left(target) == ([], 0)


def test_medmnist_is_asked_for_by_its_size(server, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="--size is one of 28, 64, 128, 224, not 32"):
        medmnist.fetch(32, tmp_path, Progress())
    monkeypatch.setattr(medmnist, "RECORD", server.url.rpartition("/")[0])
    monkeypatch.setitem(medmnist.FILES, 64, ("pneumoniamnist_64.npz", MD5.removeprefix("md5:")))
    assert medmnist.fetch(64, tmp_path / "data", Progress()).name == "pneumoniamnist_64.npz"
