"""The page on loopback: what it says of an upload, what it refuses, that it keeps nothing, and its use in a browser."""

import asyncio
import io
import os
import re
import socket
import subprocess
import sys
import time
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

import pneumobench
from pneumobench.errors import DataError, UsageError
from pneumobench.experiment import predict
from pneumobench.experiment.serve import app, panel
from tests import browser

slow = pytest.mark.slow


def voice(probability, threshold, seed=0):
    label = "PNEUMONIA" if probability >= threshold else "NORMAL"
    return {"seed": seed, "probability": probability, "threshold": threshold, "label": label}


def test_several_trainings_have_a_range_which_is_said_to_be_their_disagreement():
    voices = [voice(0.91, 0.5), voice(0.4, 0.45), voice(0.7, 0.6)]
    assert panel.headline(voices) == "2 of 3 trainings say PNEUMONIA"
    said = panel.spread(voices)
    assert said.startswith("Probability .670, the mean of 3 trainings")
    assert "they say .400 to .910, thresholds .450 to .600" in said
    assert "no confidence interval for this patient" in said
    assert panel.headline([voice(0.1, 0.5), voice(0.2, 0.5), voice(0.6, 0.5)]) == "2 of 3 trainings say NORMAL"


def test_one_training_has_none_and_that_is_said():
    assert panel.headline([voice(0.2, 0.5)]) == "NORMAL"
    assert "Of one training; how much another seed would change is not known" in panel.spread([voice(0.2, 0.5)])


@pytest.fixture(scope="module")
def results(store, phantom_folder):
    return {
        "tiny": pneumobench.run("tiny", data=phantom_folder, tracking_uri=store.uri, seeds=2),
        "thumbnail": pneumobench.run("thumbnail", data=phantom_folder, tracking_uri=store.uri),
    }


@pytest.fixture(scope="module")
def server(results, store, tmp_path_factory):
    """The command in a process of its own; its address, and the folder that it works and has its temporary files in."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("served")
    command = ["-m", "pneumobench", "predict", results["tiny"].run_id, "--serve", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, *command, "--tracking-uri", store.uri],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "nothing is stored" in line, line
        address = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                requests.get(address, timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield address, folder
    finally:
        process.terminate()
        assert process.wait(60) is not None


def upload(address, content, **headers):
    return requests.post(f"{address}/predict", data=content, headers=headers, timeout=120)


@slow
def test_an_upload_is_told_what_each_training_says(server, results, store, phantom_folder):
    address, _ = server
    image = next((phantom_folder / "train" / "PNEUMONIA").iterdir())
    reply = upload(address, image.read_bytes())
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    answer = reply.json()
    scored = [seed.run_id for seed in results["tiny"].runs]
    expected = [next(iter(predict.find(store, run_id)([image]))) for run_id in scored]
    np.testing.assert_allclose(
        [one["probability"] for one in answer["voices"]], [e.probability for e in expected], atol=2e-6
    )
    assert [one["label"] for one in answer["voices"]] == [e.label for e in expected]
    assert [one["seed"] for one in answer["voices"]] == [0, 1]
    assert answer["mean"] == pytest.approx(np.mean([e.probability for e in expected]), abs=2e-6)
    assert answer["picture"].startswith("data:image/jpeg;base64,")
    assert answer["heat"].startswith("data:image/jpeg;base64,")
    assert answer["heat"] != answer["picture"]
    assert any("among the model's own training images" in line or "validation" in line for line in answer["warnings"])
    figures = results["tiny"].test["sensitivity"]
    assert f"found {100 * figures.value:.0f} of 100 with pneumonia" in " ".join(answer["sentences"])


@slow
def test_a_test_image_is_recognised_and_the_look_is_in_the_ledger(server, store, phantom_folder):
    before = len(store.ledger.looks())
    image = next((phantom_folder / "test" / "NORMAL").iterdir())
    assert any("is a test image" in line for line in upload(server[0], image.read_bytes()).json()["warnings"])
    assert len(store.ledger.looks()) == before + 1


@slow
def test_what_is_unlike_an_x_ray_is_warned_of_and_what_is_no_image_is_one_line(server, tmp_path):
    address, _ = server
    picture = io.BytesIO()
    Image.new("RGB", (40, 200), (250, 10, 10)).save(picture, "PNG")
    warnings = " ".join(upload(address, picture.getvalue()).json()["warnings"])
    assert "it is in colour" in warnings
    assert "its shape is 40 x 200" in warnings
    flat = io.BytesIO()
    Image.fromarray(np.tile(np.arange(200, 256, dtype=np.uint8), (64, 2))).save(flat, "PNG")
    bright = " ".join(upload(address, flat.getvalue()).json()["warnings"])
    assert re.search(
        r"Unlike what the model was trained on: its mean grey is 2\d\d, that of \d+ training images", bright
    )
    for content in (b"no image at all", b"\x89PNG\r\n\x1a\n broken", b""):
        refused = upload(address, content)
        assert refused.status_code == 400
        assert "\n" not in refused.json()["error"]
        assert "/proc" not in refused.json()["error"]
        assert str(tmp_path.parent) not in refused.json()["error"]


@slow
def test_dicom_is_read(server):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.Rows = made.Columns = 96
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.PixelData = (np.arange(96 * 96, dtype=np.uint16) % 4096).tobytes()
    file = io.BytesIO()
    pydicom.dcmwrite(file, made)
    assert 0 <= upload(server[0], file.getvalue()).json()["mean"] <= 1


@slow
def test_other_sites_other_names_other_paths_and_large_files_are_refused(server):
    address, _ = server
    assert upload(address, b"x", Origin="http://elsewhere.example").status_code == 403
    assert upload(address, b"x", Origin=address).status_code == 400
    assert requests.get(address, headers={"Host": "elsewhere.example"}, timeout=30).status_code == 400
    for path in ("../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "predict/../../etc/passwd", "static/x"):
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as raw:  # requests would tidy the path
            raw.sendall(f"GET /{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            assert raw.recv(64).startswith(b"HTTP/1.1 404")
    assert requests.get(f"{address}/predict", timeout=30).status_code == 405

    def endless():
        for _ in range(65):
            yield bytes(2**20)

    assert upload(address, endless()).json() == {"error": "the file is larger than 64 MB"}


@slow
def test_nothing_is_stored(server, phantom_folder):
    address, folder = server
    image = next((phantom_folder / "train" / "NORMAL").iterdir()).read_bytes()
    assert upload(address, image).status_code == 200
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert upload(address, image).status_code == 200
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert not any(path.is_file() and path.read_bytes() == image for path in folder.rglob("*"))


@slow
def test_the_page_says_what_it_is_for_and_needs_no_other_site(server):
    page = requests.get(server[0], timeout=30)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'nonce-([^']+)'", policy)[1] in page.text
    assert "Not a medical device" in unescape(page.text)
    assert re.findall(r"""(?:src|href)=["']?https?:""", page.text) == []


@slow
@pytest.mark.skipif(browser.executable() is None, reason="no Chromium or Chrome is installed")
def test_in_a_browser_a_file_is_chosen_and_one_is_dropped(server, phantom_folder, tmp_path):
    image = next((phantom_folder / "train" / "PNEUMONIA").iterdir())
    broken = tmp_path / "broken.png"
    broken.write_text("no image")

    async def use():
        async with browser.tab() as tab:
            await tab.open(server[0])
            await tab.upload("#file", image)
            await tab.wait_for("!document.getElementById('answer').hidden")
            text = await tab.evaluate("document.body.innerText")
            drawn = await tab.evaluate("document.querySelectorAll('#axis .voice').length")
            shown = await tab.wait_for("document.getElementById('heat').naturalWidth")
            await tab.drop("#drop", broken)
            error = await tab.wait_for(
                "document.getElementById('error').hidden ? '' : document.getElementById('error').innerText"
            )
            gone = await tab.evaluate("document.getElementById('answer').hidden")
            await tab.drop("#drop", image)
            await tab.wait_for("!document.getElementById('answer').hidden")
            await tab.picture(tmp_path / "page.png", 390, dark=True)
            narrow = await tab.evaluate("document.documentElement.scrollWidth")
            return text, drawn, shown, error, gone, narrow

    text, drawn, shown, error, gone, narrow = asyncio.run(use())
    assert re.search(r"\d of 2 trainings say (PNEUMONIA|NORMAL)", text)
    assert "no confidence interval for this patient" in text
    assert drawn == 2
    assert shown > 0
    assert error.startswith("this file cannot be read as an image")
    assert gone
    assert narrow <= 390


@slow
def test_an_estimator_shows_no_heat_and_a_plugin_s_name_means_all_of_its_trainings(results, store, phantom_folder):
    asked = panel.gather(store, "thumbnail")
    answer = asked.ask(next((phantom_folder / "train" / "NORMAL").iterdir()).read_bytes())
    assert answer.heat is None
    assert len(answer.voices) == 1
    assert len(panel.gather(store, "tiny").models) == 2
    with pytest.raises(DataError, match="cannot be read"):
        asked.ask(b"x")


@slow
def test_a_taken_or_impossible_port_and_two_models_are_one_line(results, store, cli):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}"):
            app.serve(panel.gather(store, "thumbnail"), port)
    for words in (["thumbnail", "--port", "0"], ["thumbnail", "tiny"], ["nobody"]):
        done = cli("predict", *words, "--serve", "--tracking-uri", store.uri)
        assert done.returncode == 2, words
        assert len(done.stderr.splitlines()[-1:]) == 1
    none = cli("predict", "--tracking-uri", store.uri)
    assert none.returncode == 2
    assert "--serve opens a page" in none.stderr


@pytest.mark.parametrize(("host", "own"), [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", False), ("::1", True)])
def test_loopback_is_this_machine_alone(host, own):
    assert app.is_loopback(host) is own


def test_the_package_holds_its_page():
    assert (Path(app.__file__).parent / "page.html.j2").is_file()
