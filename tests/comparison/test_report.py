"""The report of the exported real runs: complete, self-contained, and alive in a browser where there is one."""

import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import pneumobench
from pneumobench.comparison import report
from pneumobench.comparison.compare import compare
from pneumobench.comparison.report import svg
from pneumobench.errors import UsageError
from pneumobench.evaluation.words import difference, figure
from pneumobench.tracking import export, runs

pytestmark = pytest.mark.slow
RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="module")
def comparison():
    return compare(export.read(RESULTS), ["residual", "probe", "thumbnail"], resamples=1000)


@pytest.fixture(scope="module")
def html(comparison):
    return report.Report(comparison).html()


def test_the_sentences_come_first_then_the_pictures_and_the_tables(html, comparison):
    text = unescape(re.sub(r"<[^>]+>", "", html))
    places = [text.index(pair.sentence) for pair in comparison.pairs]
    assert places == sorted(places)
    assert places[-1] < text.index("Differences from baseline") < text.index("Every plugin") < text.index("Commands")
    for standing in comparison.standings:
        assert figure(standing.test["auroc"]) in text
    assert "76.44 % accurate at 0.5, one proportion of 624 images" in text


def test_it_needs_no_network(html):
    addresses = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#]+)""", html)
    assert addresses == []
    assert "@import" not in html
    assert html.count("<svg") == 2 + 3


def test_names_are_escaped_and_a_phantom_says_that_it_is_one(comparison):
    strange = replace(comparison, dataset="phantom", published=None, published_among=None, left_out=("<b>odd</b>",))
    html = report.Report(strange).html()
    assert "<b>odd</b>" not in html
    assert "These images are synthetic" in html


def test_the_drawings_name_the_reference_the_intervals_and_the_published_figure(comparison):
    pairs = [replace(comparison.pairs[0], plugin="a<b> $x$"), *comparison.pairs[1:]]
    figures = report.Report(replace(comparison, pairs=tuple(pairs))).figures()
    forest, seeds = ("".join(ElementTree.fromstring(figures[name]).itertext()) for name in ("forest", "seeds"))
    assert "difference in AUROC from baseline" in forest
    assert "a<b> $x$" in forest
    for pair in pairs:
        assert difference(pair.difference, pair.low, pair.high) in forest
    assert "published 76.44 %" in seeds
    detected = sum(pair.verdict in ("better", "worse") for pair in pairs)
    circles = [f"<use [^>]*fill: {face}" for face in (svg.MARK, svg.PAGE)]
    assert [len(re.findall(circle, figures["forest"])) for circle in circles] == [detected, len(pairs) - detected]
    assert detected > 0
    assert svg.themed(figures["forest"]).count("var(--mark") >= 2 * len(pairs)


def test_a_file_that_cannot_be_written_is_one_line(comparison, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        report.Report(comparison).write(tmp_path / "taken" / "report.html")
    path = report.Report(comparison).write(tmp_path / "new" / "report.html")
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium here")
def test_a_click_sorts_the_table_in_a_browser(comparison, tmp_path):
    html = report.Report(comparison).html()
    click = "<script>document.querySelectorAll('table.sortable')[1].querySelectorAll('th button')[1].click()</script>"
    path = tmp_path / "report.html"
    path.write_text(html.replace("</body>", f"{click}{click}</body>"))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    table = done.stdout.split('table class="sortable"')[2]
    names = re.findall(r"<tr><td>(\w+)<small>", table)
    assert 'aria-sort="ascending"' in table
    assert names == [one.name for one in sorted(comparison.standings, key=lambda one: one.test["auroc"].value)]


def test_curves_are_scikit_learn_s_on_the_whole_images(comparison):
    from sklearn.metrics import precision_recall_curve, roc_curve

    from pneumobench.comparison.report import curves

    model = comparison.standings[0].experiment.predictions("test")[0]
    whole = np.ones((1, len(model)), np.float32)
    false, true, _ = roc_curve(model.label, model.probability, drop_intermediate=False)
    np.testing.assert_allclose(curves.roc(model, whole)[0], np.interp(curves.GRID, false, true), atol=1e-6)
    precise, recall, _ = precision_recall_curve(model.label, model.probability)
    expected = np.interp(curves.GRID, recall[::-1], precise[::-1])
    # at one recall scikit-learn has several precisions: the best of them, and so have we, up to the steps' edges
    assert np.abs(curves.precision(model, whole)[0] - expected).max() < 0.02


@pytest.fixture(scope="module")
def tracked(store, phantom_folder):
    for name in ("tiny", "thumbnail"):
        pneumobench.run(name, data=phantom_folder, tracking_uri=store.uri)
    return store


def test_the_hardest_images_are_shown_with_heat_and_the_look_is_in_the_ledger(tracked, phantom_folder, tmp_path, cli):
    before = tracked.ledger.looks()
    done = cli(
        *("compare", "--against", "tiny", "--tracking-uri", tracked.uri, "--data", str(phantom_folder)),
        *("--html", str(tmp_path / "report.html")),
    )
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "report.html").read_text()
    hard = html.partition("The hardest images")[2].partition("What these models are")[0]
    assert hard.count('<img src="data:image/jpeg;base64,') == 2 * hard.count("<figcaption>") > 0
    assert "(Grad-CAM)" in hard
    (look,) = tracked.ledger.looks()[len(before) :]
    assert look.command.startswith("pneumobench compare")
    assert look.images == before[-1].images
    ledger = html.partition("The ledger of these test images")[2]
    assert ledger.partition("</table>")[0].count("<tr>") == 1 + len(before) + 1


def test_the_report_and_its_figures_are_logged_beside_the_runs_and_not_taken_for_one(tracked, tmp_path, cli):
    ask = ("compare", "--against", "tiny", "--tracking-uri", tracked.uri, "--data", "phantom")
    command = (*ask, "--html", str(tmp_path / "report.html"))
    looks = len(tracked.ledger.looks())
    assert cli(*command).returncode == 0
    assert len(tracked.ledger.looks()) == looks, "these are other images: none was opened"
    (run,) = [r for r in tracked.finished({"kind": "comparison"}) if "--data phantom" in r.data.tags["command"]]
    files = {file.path for file in tracked.client.list_artifacts(run.info.run_id)}
    assert {"report.html", "comparison.json", "figures"} <= files
    figures = {file.path for file in tracked.client.list_artifacts(run.info.run_id, "figures")}
    assert figures == {f"figures/{n}.svg" for n in ("forest", "seeds", "roc", "precision_recall", "reliability")}
    assert run.data.tags["plugins"]
    assert run.info.run_id not in {one.run_id for one in runs.of_store(tracked)}
