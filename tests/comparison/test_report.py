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
from pneumobench.comparison.report import bands, coverage, svg
from pneumobench.comparison.stress import stress
from pneumobench.comparison.stress_figures import without_lungs
from pneumobench.errors import UsageError
from pneumobench.evaluation import conformal, net_benefit, selective
from pneumobench.evaluation.words import difference, figure, number
from pneumobench.tracking import export, runs
from pneumobench.training import alterations

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
    assert html.count("<svg") == 2 + 2 + 3 * 4 + 1, "forest, seeds, two curves, four plugins' multiples, coverage"


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
    multiples = {f"{n}_{p}" for n in ("reliability", "net_benefit", "selective") for p in ("tiny", "thumbnail")}
    expected = {"forest", "seeds", "roc", "precision_recall", "coverage_the_test_images", *multiples}
    assert figures == {f"figures/{name}.svg" for name in expected}
    assert run.data.tags["plugins"]
    assert run.info.run_id not in {one.run_id for one in runs.of_store(tracked)}


def test_sections_have_a_picture_a_plugin_and_sentences_of_the_figures(comparison, html):
    text = unescape(re.sub(r"<[^>]+>", "", html))
    model = {one.name: one.experiment.predictions("test") for one in comparison.standings}
    for title in ("Do the probabilities hold?", "What is it worth to act on them?", "Are they less often wrong"):
        section = html.partition(title)[2].partition("<h2>")[0]
        assert section.count("<figure>") == len(comparison.standings)
        assert [name for name in model if f"<b>{name}</b>" not in section] == []
    means = {name: np.mean([one.probability for one in own]) for name, own in model.items()}
    least, most = min(means, key=means.get), max(means, key=means.get)
    assert f"predicted with {number(means[least])} ({least}) to {number(means[most])} ({most})" in text
    own = model["baseline"]
    wrong = np.mean([np.mean(one.predicted != (one.label == 1)) for one in own])
    certain = np.mean([selective.curve(o.label, o.probability, o.operating.threshold).errors[79] for o in own])
    assert f"baseline decides {100 * wrong:.1f} % and {100 * certain:.1f} % wrongly" in text
    every = {
        name: np.mean([net_benefit.net_benefit(o.label, o.probability)[49] for o in m]) for name, m in model.items()
    }
    ends = [f"{number(every[name])} ({name})" for name in (min(every, key=every.get), max(every, key=every.get))]
    assert f"gains {ends[0]} to {ends[1]} true positives" in text


def test_bands_hold_the_curve_and_are_those_of_resampled_images(comparison):
    own = comparison.standings[0].experiment.predictions("test")
    W = bands.weights({"": own})

    def benefit(model, W):
        return net_benefit.benefits(model.label, model.probability, W)

    band = bands.of(own, benefit, W)
    assert band.value == pytest.approx(np.mean([net_benefit.net_benefit(m.label, m.probability) for m in own], 0))
    inside = (band.low <= band.value + 1e-9) & (band.value <= band.high + 1e-9)
    assert inside[:90].all()
    rows = np.random.default_rng(1).integers(len(own), size=len(W))
    drawn = [net_benefit.net_benefit(*(np.repeat(v, w.astype(int)) for v in (own[i].label, own[i].probability)))[49]
             for i, w in zip(rows, W, strict=True)]  # fmt: skip
    low, high = np.quantile(drawn, bands.TAILS)
    assert band.low[49] == pytest.approx(low, abs=0.015)
    assert band.high[49] == pytest.approx(high, abs=0.015)


def test_coverage_is_what_was_realised_and_nothing_is_promised(comparison, html):
    text = unescape(re.sub(r"<[^>]+>", "", html))
    one = next(one for one in comparison.standings if one.name == "residual")
    held_out, own = (one.experiment.predictions(part) for part in ("validation", "test"))
    levels = [conformal.quantile(v.label, v.probability) for v in held_out]
    each = [conformal.realised(model, at) for model, at in zip(own, levels, strict=True)]
    told = text.partition("Sets of labels")[2].partition("Decisions")[0]
    row = told.partition("empty sets")[2].partition("residual")[2].partition("\n")[0]
    for group in range(3):
        assert number(float(np.mean([realised[group].coverage for realised in each]))) in row
    assert "not for a class, and not for the images below" in " ".join(told.split())
    assert "guarantee" not in text


def test_without_validation_there_is_no_coverage(comparison):
    class Alone:
        has_validation = False

    alone = replace(comparison, standings=tuple(replace(one, experiment=Alone()) for one in comparison.standings))
    assert coverage.of(alone, {}, np.ones((1, 1))) == []


def test_other_sites_have_their_own_coverage_and_their_paired_forest():
    compared = compare(
        export.read(RESULTS / "elsewhere"), ["probe", "thumbnail"], sites=["nih-rsna-radiologists"], within="view",
        resamples=200,
    )  # fmt: skip
    made = report.Report(compared)
    html, figures = made.html(), made.figures()
    assert "Realised on nih-rsna-radiologists:" in html
    assert {"coverage_nih-rsna-radiologists", "at_nih-rsna-radiologists"} <= figures.keys()
    table = html.partition("at nih-rsna-radiologists</button>")[2].partition("</table>")[0]
    assert re.findall(r"<tr><td>(\w+)</td>", table) == ["probe", "thumbnail", "baseline"], "the best there first"


def test_stress_is_a_heat_map_where_it_is_tracked_and_controls_stand_apart(tracked, phantom_folder):
    before = compare(runs.of_store(tracked), against="tiny", resamples=200)
    assert "altered test images" not in report.Report(before).html()
    result = stress(["tiny", "thumbnail"], phantom_folder, tracking_uri=tracked.uri)
    after = compare(runs.of_store(tracked), against="tiny", resamples=200)
    html = report.Report(after).html()
    table = html.partition('<table class="heat">')[2].partition("</table>")[0]
    order = re.findall(r"<th>(\w+)</th>", table.partition("</thead>")[0])
    assert order == [one.name for one in result.standings], "the best mean first"
    for row, kind in enumerate(alterations.CORRUPTIONS):
        cells = re.findall(rf"<th>{re.escape(kind)}</th>(.*)</tr>", table)[0]
        assert re.findall(r">([^<]+)</td>", cells) == [number(one.auroc[kind]) for one in result.standings], row
    corruptions, controls = table.split('class="controls"')
    for control in alterations.CONTROLS:
        assert f"<th>{control}" in controls
        assert f"<th>{control}" not in corruptions
        assert f"mean grey alone {number(result.floors[control])}" in controls
    told = [line for one in result.standings for line in without_lungs(one.name, one.controls, result.floors)]
    assert [line for line in told if f"<li>{line}.</li>" not in html] == []
