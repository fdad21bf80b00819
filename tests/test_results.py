"""RESULTS.md says what the exported predictions give: nothing in its table is typed by hand."""

from pathlib import Path

import numpy as np
import pytest

from pneumobench.cli.runs import in_markdown
from pneumobench.comparison.compare import compare
from pneumobench.comparison.scored import score
from pneumobench.evaluation.words import number
from pneumobench.tracking import export, judged
from pneumobench.tracking.runs import experiments
from tests.benchmarks import altered, elsewhere, recalibration

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


def said(name):
    """The lines between a section's two comments."""
    return (ROOT / "RESULTS.md").read_text().split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name.split()[0]} -->")[0]


def test_the_table_of_other_sites_is_computed_again():
    assert said("elsewhere").splitlines() == elsewhere.table(ROOT / "results" / "elsewhere")


@pytest.mark.parametrize("site", elsewhere.SITES)
def test_every_sentence_about_another_site_is_said_again(site):
    compared = compare(export.read(ROOT / "results" / "elsewhere"), sites=[site], within="view")
    (there,) = compared.sites
    assert said(f"compare {site}").splitlines() == [f"- {contrast.sentence}" for contrast in there.contrasts]


def test_what_is_said_of_altered_images_is_computed_again():
    home = altered.read(ROOT / "results" / "altered")
    assert said("altered").splitlines() == altered.table(home)
    assert said("without lungs").splitlines() == [f"- {line}." for line in home.sentences]
    runs = export.read(ROOT / "results" / "altered")
    (there,) = compare(runs, sites=["nih-rsna-radiologists"], within="view").sites
    text = " ".join((ROOT / "RESULTS.md").read_text().split())
    for name, (_, away) in there.figures.items():
        assert f"{number(away.value)} (`{name}`)" in text, name


def test_what_is_said_of_recalibration_is_measured_again():
    measured = recalibration.rows(ROOT / "results")
    assert said("recalibration").splitlines() == [f"- {line}" for line in recalibration.summary(measured)]
    (official,) = [r for r in measured if r.name == "baseline (split official)" and r.kind == "isotonic"]
    before, after = official.errors["ece"]
    assert f"({before:.3f} → {after:.3f})" in (ROOT / "RESULTS.md").read_text()
    lowered = {row.name.split()[0] for row in measured if row.kind == "isotonic" and row.changes["ece"][2] < 0}
    assert lowered == {"baseline", "transfer"}


def test_the_sites_labels_disagree_as_said_and_the_runs_elsewhere_are_no_results_at_home(rows):
    runs = export.read(ROOT / "results" / "elsewhere")
    assert not {run.run_id for run in runs} & {run.run_id for row in rows for run in row.experiment.runs}
    better, looser = (runs[0].predictions(judged.part(site)) for site in elsewhere.SITES)
    mined = dict(zip(looser.hash.tolist(), looser.label.tolist(), strict=True))
    other = np.array([mined[one] for one in better.hash.tolist()]) != better.label
    counts = [int((better.label == label).sum()) for label in (0, 1)]
    disagree = [int(other[better.label == label].sum()) for label in (0, 1)]
    text = " ".join((ROOT / "RESULTS.md").read_text().split())
    assert f"{disagree[0]} of its {counts[0]} normal images and {disagree[1]} of its {counts[1]} pneumonias" in text
