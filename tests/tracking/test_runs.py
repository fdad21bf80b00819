"""Finished trainings: grouped into experiments, exported, and read without the store."""

import json
import shutil

import pytest

import pneumobench
from pneumobench.cli.runs import in_markdown
from pneumobench.comparison.scored import score
from pneumobench.errors import TrackingError, UsageError
from pneumobench.tracking import export
from pneumobench.tracking.runs import chosen, experiments, of_store
from pneumobench.tracking.store import Store
from pneumobench.utils.jsonable import to_json

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(store, phantom_folder):
    def run(plugin, **options):
        return pneumobench.run(plugin, data=phantom_folder, tracking_uri=store.uri, **options)

    return {
        "seeds": run("thumbnail", seeds=2),
        "third": run("thumbnail", seed=2, again=True),  # in a run of its own
        "other": run("thumbnail", knobs={"C": "0.5"}),
        "closed": run("thumbnail", split_seed=1, test=False),
        "later": run("thumbnail", test=False),
        "folds": run("thumbnail", folds=2),
    }


@pytest.fixture(scope="module")
def folder(store, results, tmp_path_factory):
    to = tmp_path_factory.mktemp("results")
    for run in of_store(store):
        export.write(run, to)
    return to


def test_trainings_that_differ_only_in_the_seed_are_one_experiment(store, results):
    grouped = experiments(of_store(store))
    seeds = [[run.seed for run in one.runs] for one in grouped]
    assert seeds == [[0], [0], [0], [0, 1, 2]], "the latest first, the three seeds together"
    assert [one.opened_test for one in grouped] == [True, False, True, True]
    assert grouped[0].tags["folds"] == "2"


def test_a_later_run_that_left_test_closed_hides_nothing(store, results):
    kept = experiments(of_store(store))[-1].runs
    assert results["later"].run_id not in [run.run_id for run in kept]
    assert all(run.looks is not None for run in kept)


def test_looks_are_counted_before_each_run(store, results):
    by_seed = {run.seed: run.looks for run in experiments(of_store(store))[-1].runs}
    assert by_seed == {0: 0, 1: 0, 2: 1}


def test_ids_are_of_a_training_or_an_experiment_and_may_be_shortened(store, results):
    runs = of_store(store)
    assert {run.seed for run in chosen(runs, [results["seeds"].run_id])} == {0, 1}
    assert [run.seed for run in chosen(runs, [results["third"].run_id[:8]])] == [2]
    assert chosen(runs, []) == runs
    with pytest.raises(UsageError, match="no finished run begins with 'ffffffff'"):
        chosen(runs, ["ffffffff"])
    with pytest.raises(UsageError, match="at least 6 characters"):
        chosen(runs, ["ab"])


def test_an_exported_folder_gives_the_same_figures_without_the_store(store, results, folder):
    for one, again in zip(experiments(of_store(store)), experiments(export.read(folder)), strict=True):
        assert [run.run_id for run in one.runs] == [run.run_id for run in again.runs]
        (row,), (row_again,) = score([one]), score([again])
        first, second = to_json(row), to_json(row_again)
        assert first == second
    row = next(row for row in score(experiments(export.read(folder))) if len(row.experiment.runs) == 3)
    both = [results["seeds"].runs[0].test["auroc"].value, results["seeds"].runs[1].test["auroc"].value]
    assert row.test["auroc"].value == pytest.approx((sum(both) + results["third"].test["auroc"].value) / 3)


def test_an_export_names_no_machine_and_holds_no_image(folder):
    for path in folder.rglob("*"):
        assert path.suffix in ("", ".json", ".parquet"), path
    for card in folder.rglob("run.json"):
        tags = json.loads(card.read_text())["tags"]
        assert not {"host", "pid", "mlflow.user", "mlflow.source.name"} & set(tags)
        assert {"plugin", "fingerprint", "git_commit", "command", "seed"} <= set(tags)


def test_exporting_again_replaces_and_leaves_nothing_half_written(store, results, folder):
    before = sorted(path.name for path in folder.iterdir())
    target = export.write(of_store(store)[0], folder)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert (target / "run.json").exists()


def test_damaged_and_empty_folders_are_named(folder, tmp_path):
    with pytest.raises(UsageError, match="holds no exported run"):
        export.read(tmp_path)
    copy = shutil.copytree(folder, tmp_path / "copy")
    next(copy.rglob("run.json")).write_text("{}")
    with pytest.raises(TrackingError, match=r"run\.json is not an exported run: KeyError"):
        export.read(copy)


def test_a_markdown_table_has_the_best_first_and_only_what_was_scored(folder):
    lines = in_markdown(score(experiments(export.read(folder))))
    assert len(lines) == 2 + 3
    assert lines[0].startswith("| phantom ")
    assert any(line.startswith("| thumbnail (folds 2) | 1 |") for line in lines)
    assert any(line.startswith("| thumbnail (C=0.5) | 1 |") for line in lines)
    assert len({line.count("|") for line in lines}) == 1


def test_results_on_different_images_are_never_in_one_table(store, results, phantom_folder, tmp_path):
    limited = pneumobench.run("thumbnail", data=phantom_folder, tracking_uri=f"sqlite:///{tmp_path}/l.db", limit=60)
    assert limited.limit == 60
    rows = score(experiments([*of_store(store), *of_store(Store(f"sqlite:///{tmp_path}/l.db"))]))
    lines = in_markdown(rows)
    assert sum(line.startswith("| phantom") for line in lines) == 2
    assert any(line.startswith("| thumbnail (limit 60) |") for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pneumobench run x --data /home/someone/xrays --seed 1", "pneumobench run x --data xrays --seed 1"),
        ("pneumobench run x --set weights=/srv/w/net.h5", "pneumobench run x --set weights=net.h5"),
        ("pneumobench run x --set weights=w/net.h5", "pneumobench run x --set weights=w/net.h5"),
        ("residual, probe", "residual, probe"),
    ],
)
def test_absolute_paths_are_cut_to_their_names(text, expected):
    assert export._relative(text) == expected
