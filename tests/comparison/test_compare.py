"""Which runs may be compared: read from the exported real ones, and from a store of tiny ones."""

from dataclasses import replace
from pathlib import Path

import pytest

from pneumobench.comparison.compare import compare
from pneumobench.errors import UsageError
from pneumobench.tracking import export

RESULTS = Path(__file__).parents[2] / "results"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs():
    return export.read(RESULTS)


def test_plugins_are_compared_with_the_baseline_on_the_real_images(runs):
    comparison = compare(runs, ["residual", "class_weighted"], resamples=2000)
    verdicts = {pair.plugin: pair.verdict for pair in comparison.pairs}
    assert verdicts == {"residual": "better", "class_weighted": "no difference detected"}
    assert [standing.name for standing in comparison.standings] == ["residual", "class_weighted", "baseline"]
    assert comparison.published.value == pytest.approx(0.7644, abs=1e-4)
    assert comparison.published_among == (1, 3)
    assert any("split official" in text and "another division" in text for text in comparison.left_out)
    residual = comparison.standings[0]
    assert residual.gap("auroc") == pytest.approx(0.997 - 0.974, abs=2e-3)
    assert "augment" in residual.differs


def test_phantoms_limited_runs_and_closed_test_images_are_left_out_with_a_word(runs):
    residual = next(run for run in runs if run.plugin == "residual")
    odd = [
        replace(
            residual, run_id="a" * 32, parent="a" * 32, tags={**residual.tags, "plugin": "tiny", **tags}, looks=looks
        )
        for tags, looks in (
            ({"limit": "400"}, 1),
            ({"fingerprint": "f" * 32, "dataset": "phantom"}, 1),
            ({}, None),
        )
    ]
    comparison = compare([*runs, *odd], resamples=500)
    told = [text for text in comparison.left_out if text.startswith("tiny")]
    assert any("--limit 400" in text for text in told)
    assert any("on other images (phantom" in text for text in told)
    assert any("stayed closed" in text for text in told)
    assert "tiny" not in {standing.name for standing in comparison.standings}


def test_nothing_left_to_compare_says_what_to_run(runs):
    alone = [run for run in runs if run.plugin == "residual"]
    with pytest.raises(UsageError, match="no finished run of 'baseline' opened the test images; `pneumobench run"):
        compare(alone)
    with pytest.raises(UsageError, match="alone was scored on these images"):
        compare([run for run in runs if run.plugin == "baseline"])
    with pytest.raises(UsageError, match="no finished run begins with 'transfr'"):
        compare(runs, ["transfr"])


def test_a_run_id_can_stand_for_a_plugin(runs):
    one = next(run for run in runs if run.plugin == "residual" and run.seed == 1)
    comparison = compare(runs, [one.run_id], resamples=500)
    assert [run.run_id for run in comparison.standings[0].experiment.runs] == [one.run_id]
