"""RESULTS.md says what the exported predictions give: nothing in its table is typed by hand."""

from pathlib import Path

import pytest

from pneumobench.cli.runs import in_markdown
from pneumobench.comparison.compare import compare
from pneumobench.comparison.scored import score
from pneumobench.tracking import export
from pneumobench.tracking.runs import experiments

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows():
    return score(experiments(export.read(ROOT / "results")))


def test_every_figure_of_the_table_is_computed_again(rows):
    text = (ROOT / "RESULTS.md").read_text()
    for line in in_markdown(rows):
        assert line in text, line


@pytest.mark.parametrize("metric", ["auroc", "accuracy_at_0.5", "accuracy"])
def test_every_sentence_is_said_again(metric):
    text = (ROOT / "RESULTS.md").read_text()
    for line in compare(export.read(ROOT / "results"), metric=metric).sentences():
        assert line in text, line


def test_it_holds_no_limited_run_and_one_dataset(rows):
    assert {row.experiment.tags["fingerprint"] for row in rows} == {"19fd7be2301b9eead9cc09f160cc3c26"}
    assert not any("limit" in row.experiment.tags for row in rows)
    assert all(len(p) == 624 for row in rows for p in row.experiment.predictions("test"))


def test_every_training_names_its_command_and_commit(rows):
    for row in rows:
        for run in row.experiment.runs:
            assert run.tags["command"].startswith(f"pneumobench run {run.plugin}")
            assert len(run.tags["git_commit"]) == 40, "an unchanged checkout"
