"""The model card: every figure on it is tracked, and what is not tracked is said to be so."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

import pneumobench
from pneumobench.comparison import card, facts
from pneumobench.comparison.page import NOT_TRACKED, html, markdown
from pneumobench.evaluation.words import figure, number
from pneumobench.tracking import export
from pneumobench.tracking.runs import of_store

pytestmark = pytest.mark.slow
RESULTS = Path(__file__).parents[2] / "results"


def section(page, title):
    return next(one for one in page.sections if one.title == title)


def value(page, title, name):
    """What the card says of a fact in one of its tables."""
    rows = [row for block in section(page, title).blocks for row in getattr(block, "rows", ())]
    return next(row[1] for row in rows if row[0] == name)


@pytest.fixture(scope="module")
def transfer():
    return facts.of(export.read(RESULTS), "transfer")


@pytest.fixture(scope="module")
def tracked(store, phantom_folder):
    several = pneumobench.run("thumbnail", data=phantom_folder, tracking_uri=store.uri, seeds=2)
    closed = pneumobench.run("tiny", data=phantom_folder, tracking_uri=store.uri, test=False)
    return several, closed


def test_its_figures_are_those_of_the_predictions_with_their_intervals(transfer):
    text = markdown.render(card.of(transfer)).replace("\\", "")
    assert len(transfer.runs) == 3
    for name in ("auroc", "sensitivity", "specificity", "ece", "brier"):
        assert f"{figure(transfer.test[name])} | {figure(transfer.validation[name])}" in text
    for run in transfer.runs:
        assert f"| {run.seed} | 0 | {number(run.metrics['threshold'])} | 1 |" in text
    assert "62.5 % of the test images" in text
    assert "pneumobench run transfer --seed 1" in text


def test_an_export_of_an_older_version_leaves_much_untracked_and_the_card_says_so(transfer):
    page = card.of(transfer)
    for title, name in (
        ("Data", "read as"),
        ("Licences", "data"),
        ("Environment", "Python"),
        ("Licences", "the trained model"),
    ):
        assert value(page, title, name) == NOT_TRACKED
    assert value(page, "Training", "energy, all trainings").startswith(NOT_TRACKED)
    assert value(page, "Data", "training") == NOT_TRACKED
    limits = " ".join(section(page, "Limits").blocks[0].items)
    assert "how it does elsewhere is not known" in limits
    assert "Validation AUROC less test AUROC is +0.043." in limits
    assert "synthetic" not in " ".join(page.warnings)


def test_groups_of_one_class_have_figures_of_that_class_alone(transfer):
    by_name = {group.name: group for group in transfer.groups}
    assert set(by_name) == {"bacterial", "viral"}
    assert by_name["viral"].counts == {"normal": 234, "pneumonia": 148}
    assert set(by_name["viral"].figures) == {"auroc", "sensitivity"}
    assert by_name["viral"].figures["sensitivity"].value == pytest.approx(transfer.test["sensitivity_viral"].value)


def test_several_seeds_of_a_store_are_one_card_with_all_that_the_store_knows(tracked, store):
    several, _ = tracked
    known = facts.of(of_store(store), several.run_id[:8], store)
    page = card.of(known)
    counts = {part: (row["normal"], row["pneumonia"]) for part, row in known.counts.items()}
    assert counts == {part: (own["NORMAL"], own["PNEUMONIA"]) for part, own in several.counts.items()}
    assert value(page, "Data", "read as") == "phantom"
    assert value(page, "Licences", "data").startswith("that of pneumobench")
    assert value(page, "Licences", "the plugin's source") == "that of pneumobench"
    assert value(page, "Training", "training seeds") == "0, 1"
    assert value(page, "Environment", "Python").count(".") == 2
    assert "logistic regression" in section(page, "Model").blocks[0].items[0]
    assert [look.run for look in known.looks] == [several.run_id]
    assert "These images are synthetic: nothing here is about patients." in page.warnings


def test_a_model_whose_test_images_stayed_closed_claims_nothing_about_them(tracked, store):
    _, closed = tracked
    page = card.of(facts.of(of_store(store), closed.run_id, store))
    text = markdown.render(page)
    assert value(page, "Figures at home", "AUROC") == "-"
    assert "Looks at the test images\n\n- None by this model" in text
    for title in ("Subgroups", "Calibration"):
        assert section(page, title).blocks[0].items[0].lower().count(NOT_TRACKED) == 1


def test_watt_hours_are_on_it_where_every_training_has_them(transfer):
    measured = [replace(run, metrics={**run.metrics, "training_energy_gpu_wh": 1.25}) for run in transfer.runs]
    assert facts.gather(replace(transfer.experiment, runs=tuple(measured))).energy == {"gpu": 3.75}
    some = replace(transfer.experiment, runs=(measured[0], *transfer.runs[1:]))
    assert facts.gather(some).energy == {}


def test_the_command_writes_markdown_html_and_json(cli, tmp_path):
    words = ("card", "thumbnail", "--from", str(RESULTS))
    printed = cli(*words)
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.startswith("# Model card: thumbnail")
    done = cli(*words, "--json", "--html", str(tmp_path / "card.html"), "--output", str(tmp_path / "card.md"))
    assert json.loads(done.stdout)["title"] == "Model card: thumbnail"
    text = (tmp_path / "card.md").read_text()
    assert text.splitlines()[3:] == printed.stdout.splitlines()[3:]
    page = (tmp_path / "card.html").read_text()
    assert re.findall(r"(?:src|href)=", page) == []
    assert "Not a medical device" in unescape(page)
    unknown = cli("card", "nobody", "--from", str(RESULTS))
    assert unknown.returncode == 2
    assert len(unknown.stderr.splitlines()) == 1


def test_it_travels_with_the_run_and_with_the_registered_model(tracked, store, cli):
    several, _ = tracked
    refused = cli("card", several.run_id, "--from", str(RESULTS), "--log")
    assert refused.returncode == 2
    logged = cli("card", several.run_id, "--log", "--tracking-uri", store.uri)
    assert logged.returncode == 0, logged.stderr
    for run_id in (several.run_id, several.runs[1].run_id):
        assert "2 trainings" in store.file(run_id, "card/card.md").read_text()
    seed = several.runs[1].run_id
    crowned = cli("champion", seed, "--tracking-uri", store.uri)
    assert crowned.returncode == 0, crowned.stderr
    assert "with its model card" in crowned.stdout
    version = store.client.get_model_version_by_alias("pneumobench", "champion")
    assert version.description.startswith("# Model card: thumbnail")
    assert f"card/card.md among the files of run {seed}" in version.description
    assert len(version.description) <= 5000
    assert "1 training" in store.file(seed, "card/card.md").read_text()
    cli("card", several.run_id, "--log", "--tracking-uri", store.uri)
    again = store.client.get_model_version("pneumobench", version.version)
    assert "2 trainings" in again.description
    assert "<h1>Model card" in store.file(seed, "card/card.html").read_text()


def test_what_others_wrote_is_no_mark_up(transfer):
    tags = {**transfer.tags, "dataset": "<b>|`x`*"}
    strange = replace(transfer.experiment, runs=tuple(replace(run, tags={**run.tags, **tags}) for run in transfer.runs))
    page = card.of(facts.gather(strange))
    assert "&lt;b&gt;|<code>x</code>*" in html.render(page)
    assert r"\<b\>\|\`x\`\*" in markdown.render(page)
