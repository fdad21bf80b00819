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


UNWATCHED = {
    "data fetch": "downloads and unpacks; decodes nothing",
    "plugins": "of plugins, and of a phantom of their own",
    "ui": "MLflow's",
    "worker": "the trials of `study`, in another process",
}


@pytest.mark.slow
def test_every_command_that_sees_a_test_image_stands_in_the_ledger_first(watched, cli, tmp_path, monkeypatch):
    data, seen_and_said = watched
    images = ("--data", str(data))
    watched_commands, expected = set(), []

    def say(*words):
        done = cli(*words)
        assert done.returncode == 0, (words, done.stderr)

    def watch(*words):
        watched_commands.update({words[0], " ".join(words[:2])})
        return seen_and_said(lambda: say(*words))

    def closed(*words):
        assert watch(*words) == (0, 0), words

    def opens(*words, sights=True):
        found, looks = watch(*words)
        assert (found > 0, looks) == (sights, 1), words
        expected.append(words)

    closed("data", "info", *images)
    closed("data", "audit", *images)
    closed("data", "audit", "--html", "audit.html", *images)
    closed("data", "manifest", str(data), "--output", "labels.csv")
    closed("data", "layouts", "check", "phantom", str(data))
    closed("run", "tiny", "--no-test", *images)
    closed("study", "quick", "--trials", "1", *images)
    closed("predict", str(data / "train" / "NORMAL"), "--model", newest(tmp_path))

    opens("run", "tiny", "--seeds", "2", *images)
    opens("run", "tiny", "--folds", "2", *images)
    opens("run", "thumbnail", "--seeds", "2", *images)
    opens("run", "thumbnail", "--calibrate", "temperature", *images)
    opens("run", "thumbnail", "--permute-labels", *images)
    opens("data", "audit", "--include-test", "--html", "audit.html", *images)
    opens("compare", "tiny", "--against", "thumbnail", "--html", "report.html", *images)
    opens("predict", str(data / "test" / "NORMAL"), "--model", newest(tmp_path))
    opens("rerun", newest(tmp_path), *images)

    table = ["path,probability", *(f"{path.relative_to(data)},.5" for path in (data / "test").glob("*/*"))]
    (tmp_path / "said.csv").write_text("\n".join(table))
    opens("import", "said.csv", "--name", "coin", *images, sights=False)

    monkeypatch.setattr("pneumobench.evaluation.subgroups.LEAST", 5)  # this phantom has few images
    elsewhere = phantom.ensure(Phantom((24, 40), (8, 12), 48, seed=5), tmp_path)
    for words in (
        ("compare", "tiny", "--against", "thumbnail"),
        ("compare", "tiny", "--against", "thumbnail", "--by", "subtype"),
        ("compare", "tiny", "--against", "thumbnail", "--html", "report.html", "--data", str(elsewhere)),
        ("plan", "tiny", "--against", "thumbnail"),
        ("export", newest(tmp_path), "--to", "exported"),
        ("runs", "--from", "exported"),
        ("runs",),
        ("champion", newest(tmp_path)),
        ("send",),
        ("card", newest(tmp_path)),
        ("checklist", newest(tmp_path)),
    ):
        closed(*words)

    say("run", "thumbnail", "--data", str(elsewhere))
    expected.append(("run", "thumbnail", "--data", str(elsewhere)))
    model = newest(tmp_path, "thumbnail")
    opens("external", model, "--site", "clinic", *images)
    opens("stress", model, "--site", "clinic", *images)
    opens("stress", "tiny", *images)

    closed("data", "clear-cache")
    closed("ledger")
    looks = Ledger(tmp_path / "runs").looks()
    assert [one.command for one in looks] == [" ".join(("pneumobench", *words)) for words in expected]
    assert commands() == (watched_commands & commands()) | UNWATCHED.keys(), "a command that nobody watches"


def commands():
    """Every command, those of groups but for `UNWATCHED` ones with both words."""
    from pneumobench.cli import app

    names = {one.name for one in app.registered_commands}
    for group in app.registered_groups:
        inside = {
            one.name for one in (*group.typer_instance.registered_commands, *group.typer_instance.registered_groups)
        }
        names |= {f"{group.name} {name}" for name in inside if name} if group.name == "data" else {group.name}
    return names


def newest(folder, plugin="tiny"):
    from pneumobench.tracking import runs
    from pneumobench.tracking.store import Store

    found = runs.of_store(Store(f"sqlite:///{folder}/runs/mlflow.db"))
    return next(run.run_id for run in found if run.plugin == plugin)
