"""No way to the test images but through the ledger: every command under a watch on the one door to pixels."""

import ast
from pathlib import Path

import pytest

import pneumobench
from pneumobench.data import decode, pixels
from pneumobench.data.layouts import phantom
from pneumobench.data.layouts.phantom import Phantom
from pneumobench.data.lockbox import Ledger

ROOT = Path(pneumobench.__file__).parent


def test_files_are_decoded_and_caches_opened_behind_few_doors():
    """What the watch below is set on is all there is."""
    doors = {
        "Image.open": {"data/decode.py"},
        "pydicom.dcmread": {"data/dicom.py"},
        "open_cache": {"data/subset.py"},
        "decode.head": {"data/info.py"},
    }
    found = {name: set() for name in doors}
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if name in found:
                found[name].add(path.relative_to(ROOT).as_posix())
    assert found == doors


@pytest.fixture
def watched(copy, tmp_path, monkeypatch):
    """Counts sights of test images, each of which must come after a new line in the ledger; with the images' folder."""
    ledger = Ledger(tmp_path / "runs")
    seen = {"before": 0, "sights": 0}

    def sight():
        assert len(ledger.looks()) > seen["before"], "a test image was read before the look stood in the ledger"
        seen["sights"] += 1

    opened, open_cache = decode.opened, pixels.open_cache

    def watched_file(path):
        if (copy / "test") in Path(path).absolute().parents:
            sight()
        return opened(path)

    def watched_cache(dataset, *rest):
        if "test" in dataset.origins:
            sight()
        return open_cache(dataset, *rest)

    monkeypatch.setenv("PNEUMOBENCH_CACHE", str(tmp_path / "cache"))  # what others have looked at does not count
    monkeypatch.setattr(decode, "opened", watched_file)
    monkeypatch.setattr("pneumobench.data.sanity.opened", watched_file)
    monkeypatch.setattr("pneumobench.data.subset.open_cache", watched_cache)

    def of(act):
        seen.update(before=len(ledger.looks()), sights=0)
        act()
        return seen["sights"], len(ledger.looks()) - seen["before"]

    return copy, of


@pytest.mark.slow
def test_every_command_that_sees_a_test_image_stands_in_the_ledger_first(watched, cli, tmp_path):
    data, seen_and_said = watched

    def say(*words):
        done = cli(*words)
        assert done.returncode == 0, done.stderr

    images_of = ("--data", str(data))
    for words in (("info",), ("audit",), ("audit", "--html", "audit.html")):
        assert seen_and_said(lambda words=words: say("data", *words, *images_of)) == (0, 0)
    assert seen_and_said(lambda: say("run", "tiny", "--no-test", *images_of)) == (0, 0)
    assert seen_and_said(lambda: say("study", "quick", "--trials", "1", *images_of)) == (0, 0)
    assert seen_and_said(lambda: say("predict", str(data / "train" / "NORMAL"), "--model", newest(tmp_path))) == (0, 0)

    for words in (
        ("run", "tiny"),
        ("run", "tiny", "--folds", "2"),
        ("run", "thumbnail", "--seeds", "2"),
        ("data", "audit", "--include-test", "--html", "audit.html"),
    ):
        sights, looks = seen_and_said(lambda words=words: say(*words, *images_of))
        assert sights > 0
        assert looks == 1
    for words in (
        ("compare", "--against", "thumbnail", "--html", "report.html", *images_of),
        ("predict", str(data / "test" / "NORMAL"), "--model", newest(tmp_path)),
    ):
        sights, looks = seen_and_said(lambda words=words: say(*words))
        assert sights > 0
        assert looks == 1

    table = ["path,probability", *(f"{path.relative_to(data)},.5" for path in (data / "test").glob("*/*"))]
    (tmp_path / "said.csv").write_text("\n".join(table))
    assert seen_and_said(lambda: say("import", "said.csv", "--name", "coin", *images_of)) == (0, 1)

    assert seen_and_said(lambda: say("compare", "--against", "thumbnail")) == (0, 0)
    assert seen_and_said(lambda: say("runs")) == (0, 0)

    elsewhere = phantom.ensure(Phantom((24, 40), (8, 12), 48, seed=5), tmp_path)
    say("run", "thumbnail", "--data", str(elsewhere))
    model = newest(tmp_path, "thumbnail")
    for words in (("external", model), ("stress", model, "--site", "elsewhere"), ("stress", "tiny")):
        sights, looks = seen_and_said(lambda words=words: say(*words, *images_of))
        assert sights > 0
        assert looks == 1


def newest(folder, plugin="tiny"):
    from pneumobench.tracking import runs
    from pneumobench.tracking.store import Store

    found = runs.of_store(Store(f"sqlite:///{folder}/runs/mlflow.db"))
    return next(run.run_id for run in found if run.plugin == plugin)
