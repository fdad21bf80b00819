"""Predictions from elsewhere: tracked, compared, exported; no model."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import pneumobench
from pneumobench.comparison.compare import compare
from pneumobench.comparison.scored import score
from pneumobench.data import prepare
from pneumobench.data.options import DataOptions
from pneumobench.errors import DataError, UsageError
from pneumobench.experiment import predict
from pneumobench.tracking import export
from pneumobench.tracking.runs import chosen, experiments, of_store
from pneumobench.utils.progress import Progress

PAGE = Path(__file__).parents[2] / "docs" / "import.md"


def table(path, dataset, rows, seeds=(0,), noise=0.3):
    lines = ["path,probability,seed"]
    for seed in seeds:
        said = np.random.default_rng(seed).normal(0.5, noise, len(dataset)) + 0.2 * (dataset.labels - 0.5)
        lines += [f"{dataset.paths[i]},{np.clip(said[i], 0, 1):.6f},{seed}" for i in np.flatnonzero(rows)]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def imported(store, dataset, phantom_folder, tmp_path_factory):
    folder, test = tmp_path_factory.mktemp("tables"), dataset.origins == "test"
    images = prepare.load(DataOptions(data=str(phantom_folder)), Progress())
    validation = np.isin(dataset.hashes, images.development.validation.dataset.hashes)
    options = {"data": phantom_folder, "tracking_uri": store.uri}
    pneumobench.run("thumbnail", seeds=3, **options)
    return {
        "with": pneumobench.import_predictions(
            table(folder / "test.csv", dataset, test, range(3)),
            "torch",
            validation=table(folder / "validation.csv", dataset, validation, range(3)),
            **options,
        ),
        "without": pneumobench.import_predictions(
            table(folder / "one.csv", dataset, test, [7]), "reader", threshold=0.4, **options
        ),
    }


@pytest.mark.slow
def test_imported_runs_are_compared_like_any_other(store, imported):
    found = compare(of_store(store), against="thumbnail", all_pairs=True, metric="sensitivity", resamples=200)
    assert {one.name for one in found.standings} == {"thumbnail", "torch", "reader"}
    assert {one.name: one.seeds for one in found.standings} == {"thumbnail": 3, "torch": 3, "reader": 1}
    assert any(line.startswith("Imported: ") and "torch" in line for line in found.remarks())
    reader = next(one for one in found.standings if one.name == "reader")
    assert reader.validation == {}
    assert reader.experiment.runs[0].metrics["threshold"] == 0.4
    assert json.dumps(pneumobench.utils.jsonable.to_json(found))


@pytest.mark.slow
def test_figures_are_those_of_the_table_and_seeds_join_one_experiment(store, imported, dataset):
    run = next(run for run in of_store(store) if run.run_id == imported["with"].runs[1])
    said = run.predictions("test")
    place = {digest: i for i, digest in enumerate(dataset.hashes.tolist())}
    assert [int(dataset.labels[place[one]]) for one in said.hash.tolist()] == said.label.tolist()
    (one,) = [one for one in experiments(of_store(store)) if one.plugin == "torch"]
    assert [run.seed for run in one.runs] == [0, 1, 2]
    assert one.name == "torch (imported)"
    (row,) = score([one])
    assert row.test["auroc"].value == pytest.approx(imported["with"].test["auroc"].value)
    assert row.validation["auroc"].value == pytest.approx(imported["with"].validation["auroc"].value)
    assert one.tags["split"] == "patient", "the validation images were exactly this split's"


@pytest.mark.slow
def test_one_look_each_stands_in_the_ledger(store, imported):
    looks = store.ledger.looks()
    assert [look.plugin for look in looks] == ["thumbnail", "torch", "reader"]
    assert (imported["with"].looks, imported["without"].looks) == (1, 2)


@pytest.mark.slow
def test_it_is_exported_and_read_again(store, imported, tmp_path):
    for run in chosen(of_store(store), [imported["with"].run_id, imported["without"].run_id]):
        export.write(run, tmp_path)
    there = {one.plugin: one for one in experiments(export.read(tmp_path))}
    assert there["reader"].name == "reader (imported, operating_point 0.4)"
    assert not there["reader"].has_validation
    assert len(score([*there.values()])) == 2


@pytest.mark.slow
def test_there_is_no_model_to_predict_with(store, imported):
    run_id = imported["without"].run_id
    with pytest.raises(UsageError, match="was imported: its predictions are tracked, its model stayed elsewhere"):
        predict.find(store, run_id)
    with pytest.raises(UsageError, match="was imported"):
        predict.set_champion(store, run_id)


def test_what_does_not_fit_is_refused_before_anything_is_tracked(dataset, phantom_folder, tmp_path):
    uri, test = f"sqlite:///{tmp_path}/none/mlflow.db", dataset.origins == "test"
    file = table(tmp_path / "test.csv", dataset, test)

    def refused(error, match, name="x", file=file, **how):
        with pytest.raises(error, match=match):
            pneumobench.import_predictions(file, name, phantom_folder, tracking_uri=uri, **how)

    refused(UsageError, "--name tiny is a plugin's", name="tiny")
    refused(UsageError, r"--threshold is in \(0, 1\), not 1", threshold=1.0)
    refused(UsageError, "--threshold is for a model without --validation", threshold=0.5, validation=file)
    refused(DataError, "rows name test images where development images are asked for", validation=file)
    refused(DataError, "predictions are a table", file=tmp_path / "none.csv")
    other = table(tmp_path / "validation.csv", dataset, ~test, [1])
    refused(DataError, "have predictions of seed 0, those of .* are of 1", validation=other)
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_the_page_s_commands_run(cli, copy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    exec(code, {})
    (commands,) = re.findall(r"```\n(pneumobench .*?)```", text, re.S)
    for command in commands.splitlines():
        done = cli(*command.split()[1:])
        assert done.returncode == 0, (command, done.stderr)
    assert "brightness" in done.stdout
    listed = cli("runs").stdout
    assert "brightness (imported)" in listed
