"""Frozen models on another site's images: what is refused, what their runs hold afterwards, and what it costs."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import pneumobench
from pneumobench.comparison import card, checklist, facts
from pneumobench.comparison.compare import compare
from pneumobench.data.layouts import phantom
from pneumobench.data.layouts.phantom import Phantom
from pneumobench.errors import DataError, UsageError
from pneumobench.evaluation.metrics import point_of_probabilities
from pneumobench.evaluation.words import figure
from pneumobench.tracking import export, judged
from pneumobench.tracking.runs import of_store

pytestmark = pytest.mark.slow


def hospital(folder, name, seed, views=True):
    """A phantom that is not called so, with a manifest that says each image's view, patient and sex."""
    made = phantom.ensure(Phantom((40, 60), (30, 40), 48, seed=seed), folder).rename(folder / name)
    (made / "phantom.json").unlink()
    if views:
        rows = ["path,label,patient,view,sex"]
        for label in ("NORMAL", "PNEUMONIA"):
            for i, path in enumerate(sorted((made / "test" / label).iterdir())):
                view = "AP" if i % 10 < (7 if label == "PNEUMONIA" else 3) else "PA"
                rows.append(f"{path.relative_to(made)},{label},{name}-{label}-{i // 2},{view},{'FM'[i % 2]}")
        shutil.rmtree(made / "train")
        (made / "metadata.csv").write_text("\n".join(rows) + "\n")
    return made


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return hospital(tmp_path_factory.mktemp("home"), "home", 0, views=False)


@pytest.fixture(scope="module")
def away(tmp_path_factory):
    return hospital(tmp_path_factory.mktemp("away"), "away", 7)


@pytest.fixture(scope="module")
def trained(store, home):
    several = pneumobench.run("thumbnail", data=home, tracking_uri=store.uri, seeds=2)
    other = pneumobench.run("thumbnail", {"C": 1e-4}, data=home, tracking_uri=store.uri)
    return several, other


@pytest.fixture(scope="module")
def result(store, trained, away):
    (site,) = pneumobench.external([trained[0].run_id, trained[1].run_id], away, within="view", tracking_uri=store.uri)
    return site


def test_the_models_are_scored_as_they_were_frozen(store, trained, result):
    runs = {run.run_id: run for run in of_store(store)}
    standing = next(one for one in result.standings if len(one.run_ids) == 2)
    assert standing.thresholds == tuple(one.operating.threshold for one in trained[0].runs)
    areas = []
    for run_id in standing.run_ids:
        own = runs[run_id].predictions(judged.part("away"))
        assert len(own) == result.images == 70
        assert {"view", "sex"} <= set(own.columns)
        areas.append(point_of_probabilities(own.label, own.probability)["auroc"])
        assert runs[run_id].metrics["external_away_auroc"] == pytest.approx(areas[-1])
        assert runs[run_id].metrics["external_away_auroc_low"] < areas[-1]
    assert standing.away["auroc"].value == pytest.approx(np.mean(areas))
    parent = store.run(trained[0].run_id)
    assert parent.data.metrics["external_away_auroc"] == pytest.approx(np.mean(areas))
    assert "external_away_calibration_slope" in parent.data.metrics
    assert standing.home["auroc"].value == pytest.approx(trained[0].test["auroc"].value)


def test_within_a_column_what_it_tells_alone_does_not_count(result):
    sign, area = result.alone
    assert sign == "AP"
    assert area == pytest.approx(0.7)
    assert "auroc_within_view" in result.standings[0].away
    assert any("view alone, with AP as the sign of pneumonia, scores AUROC .700" in line for line in result.remarks())


def test_one_look_is_recorded_for_all_models_and_counted_on_these_images_alone(store, trained, result, away):
    looks = [look for look in store.ledger.looks() if look.dataset == "away"]
    assert len(looks) >= 1
    assert "," in looks[0].run
    (again,) = pneumobench.external(trained[1].run_id, away, site="second", tracking_uri=store.uri)
    assert again.looks == result.looks + 1
    assert again.site == "second"


def test_predictions_elsewhere_go_with_an_exported_run(store, trained, result, tmp_path):
    run = next(run for run in of_store(store) if run.run_id == result.standings[0].run_ids[0])
    export.write(run, tmp_path)
    (again,) = export.read(tmp_path)
    assert judged.sites(again.tags)["away"].fingerprint == result.fingerprint
    assert np.array_equal(again.predictions("external_away").probability, run.predictions("external_away").probability)
    assert "/" not in judged.sites(again.tags)["away"].command.partition("--data")[2].strip()


def untouched(store, act, match, error=DataError):
    """What raises leaves no trace in any run."""
    before = {run.info.run_id: (dict(run.data.tags), dict(run.data.metrics)) for run in store.finished({})}
    with pytest.raises(error, match=match) as raised:
        act()
    assert "\n" not in str(raised.value)
    assert {run.info.run_id: (dict(run.data.tags), dict(run.data.metrics)) for run in store.finished({})} == before


def test_images_that_the_model_was_made_with_are_refused_by_name(store, trained, home, away, tmp_path):
    rows = (away / "metadata.csv").read_text().splitlines()
    training = sorted((home / "train" / "PNEUMONIA").iterdir())[0]
    shutil.copytree(away, tmp_path / "mixed")
    shutil.copy(training, tmp_path / "mixed" / "copied.jpeg")
    (tmp_path / "mixed" / "metadata.csv").write_text("\n".join([*rows, "copied.jpeg,PNEUMONIA,x,AP,F"]) + "\n")
    looks = len(store.ledger.looks())
    untouched(
        store,
        lambda: pneumobench.external("thumbnail", tmp_path / "mixed", tracking_uri=store.uri),
        rf"1 of 71 images of mixed are images of thumbnail.*'s own data, such as copied\.jpeg \(in .*{training.name}",
    )
    assert len(store.ledger.looks()) == looks, "what hashes tell needs no look"
    with Image.open(training) as image:
        image.save(tmp_path / "mixed" / "copied.jpeg", quality=88)  # other bytes, the same picture
    untouched(
        store,
        lambda: pneumobench.external("thumbnail", tmp_path / "mixed", tracking_uri=store.uri),
        r"1 of 71 images of mixed are almost images of thumbnail.*'s own data, such as copied\.jpeg",
    )


def test_images_of_its_own_are_refused(store, trained, home):
    untouched(
        store,
        lambda: pneumobench.external(trained[1].run_id, home, tracking_uri=store.uri),
        "70 of 70 images of home are images of thumbnail.*'s own data",
    )


def test_what_cannot_be_judged_is_one_line(store, trained, away, tmp_path):
    def judge(data, **options):
        return lambda: pneumobench.external("thumbnail", data, tracking_uri=store.uri, **options)

    untouched(store, judge(None), "--data DIR or MANIFEST", UsageError)
    untouched(store, judge(away, within="age"), "no column 'age'", UsageError)
    untouched(store, judge(away, site="a b"), "--site is up to 60 letters", UsageError)
    alone = shutil.copytree(away, tmp_path / "alone")
    rows = (alone / "metadata.csv").read_text().splitlines()
    (alone / "metadata.csv").write_text("\n".join(row for row in rows if ",PNEUMONIA," not in row) + "\n")
    untouched(store, judge(alone), "has no readable PNEUMONIA image to test on: both classes are needed")
    (alone / "metadata.csv").write_text("\n".join(row.split(",")[0] for row in rows) + "\n")
    untouched(store, judge(alone / "metadata.csv"), "has no column label")
    torn = shutil.copytree(away, tmp_path / "torn")
    broken = sorted((torn / "test" / "NORMAL").iterdir())[3]
    broken.write_bytes(broken.read_bytes()[:400])
    untouched(store, judge(torn), f"cannot read .*{broken.name}")
    (result,) = judge(torn, skip_unreadable=True)()
    assert result.images == 69
    assert any(broken.name in note for note in result.notes)
    untouched(store, judge(phantom.ensure(Phantom((8, 8), (8, 8), 16), tmp_path)), "not of its kind", UsageError)


def test_the_command_prints_a_table_and_one_json_object(store, trained, away, cli):
    words = ["external", trained[1].run_id, "--data", str(away), "--tracking-uri", store.uri, "--within", "view"]
    done = cli(*words)
    assert done.returncode == 0, done.stderr
    assert "calibration in the large" in done.stdout
    assert "Frozen models of home on 70 images of away (30 NORMAL, 40 PNEUMONIA)" in " ".join(done.stdout.split())
    (site,) = json.loads(cli(*words, "--json").stdout)["sites"]
    assert site["plugins"][0]["away"]["auroc_within_view"]["value"] > 0
    assert cli("external", "thumbnail", "--tracking-uri", store.uri).returncode == 2


def test_a_comparison_asks_whether_a_difference_at_home_is_one_there(store, trained, result, cli, tmp_path):
    runs = of_store(store)
    names = [trained[1].run_id]
    plain = compare(runs, names, against=trained[0].run_id, resamples=500)
    assert "sites" not in plain.__json__()
    both = compare(runs, names, against=trained[0].run_id, sites=["away"], within="view", resamples=500)
    (site,) = both.sites
    (contrast,) = site.contrasts
    at_home, there = contrast.home.difference, contrast.away.difference
    assert at_home == pytest.approx(plain.pairs[0].difference)
    assert contrast.away.metric == site.metric == "auroc_within_view"
    named = {one.name: one for one in result.standings}
    other = next(one for name, one in named.items() if len(one.run_ids) == 1)
    several = next(one for name, one in named.items() if len(one.run_ids) == 2)
    areas = [one.away["auroc_within_view"].value for one in (other, several)]
    assert there == pytest.approx(areas[0] - areas[1])
    assert contrast.difference == pytest.approx(there - at_home)
    assert contrast.answer in ("the same", "smaller", "larger", "of the other sign", "different", "cannot be told")
    words = ("compare", *names, "--against", trained[0].run_id, "--site", "away", "--tracking-uri", store.uri)
    done = cli(*words, "--html", str(tmp_path / "report.html"))
    assert done.returncode == 0, done.stderr
    assert "at away" in done.stdout
    assert "change" in done.stdout
    page = (tmp_path / "report.html").read_text()
    assert "<h2>At home and at away</h2>" in page
    for wrong, message in ((["--site", "nowhere"], "no site named 'nowhere'"), (["--within", "view"], "of a --site")):
        done = cli(*words[:4], *wrong, "--tracking-uri", store.uri)
        assert done.returncode == 2
        assert message in done.stderr


def test_an_exported_run_is_compared_at_its_sites_too(store, trained, result, tmp_path):
    for run in of_store(store):
        if "external.away" in run.tags:
            export.write(run, tmp_path)
    both = compare(export.read(tmp_path), [trained[1].run_id], against=trained[0].run_id, sites=["away"], resamples=300)
    assert both.sites[0].images == 70


def test_a_card_and_a_checklist_have_the_figures_elsewhere(store, trained, result):
    known = facts.of(of_store(store), trained[0].run_id, store)
    page = card.of(known)
    (table, _) = next(section for section in page.sections if section.title == "Elsewhere").blocks
    standing = next(one for one in result.standings if len(one.run_ids) == 2)
    row = next(row for row in table.rows if row[0] == "away")
    assert figure(standing.away["auroc"]) in row
    assert figure(standing.away["sensitivity"]) in row
    answers = {one.item.item: one for one in checklist.answered(known, "claim")}
    assert "away: sensitivity" in answers["33"].tracked
    assert "away" in {one.item.item: one for one in checklist.answered(known, "tripod-ai")}["16"].tracked
