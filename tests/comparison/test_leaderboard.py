"""The leaderboard's folder: whole, self-contained, the verdicts of the comparison, and nothing else overwritten."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from pneumobench.comparison import facts, leaderboard
from pneumobench.comparison.compare import compare
from pneumobench.errors import UsageError
from pneumobench.evaluation.words import difference, figure
from pneumobench.tracking import export

pytestmark = pytest.mark.slow
RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="module")
def comparison():
    return compare(export.read(RESULTS), ["residual", "thumbnail"], all_pairs=True, resamples=1000)


@pytest.fixture(scope="module", autouse=True)
def _gathered_once():
    """A card's figures are resampled once for all tests of this module."""
    gather, known = facts.gather, {}

    def once(experiment, *arguments):
        key = tuple(run.run_id for run in experiment.runs)
        if key not in known:
            known[key] = gather(experiment, *arguments)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "gather", once)
        yield


@pytest.fixture(scope="module")
def written(comparison, tmp_path_factory):
    return leaderboard.write(comparison, tmp_path_factory.mktemp("host") / "board")


def text(file):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", file.read_text())).split())


def test_each_row_has_the_figure_and_the_verdict_of_the_comparison(comparison, written):
    page = text(written / "index.html")
    assert comparison.subject in page
    for one in comparison.standings:
        assert figure(one.test["auroc"]) in page
    for pair in comparison.pairs:
        assert pair.sentence in page
    pair = next(pair for pair in comparison.pairs if {pair.plugin, pair.reference} == {"residual", "baseline"})
    better = comparison.standings[0].test["auroc"].value - comparison.standings[1].test["auroc"].value
    low, high = (pair.low, pair.high) if pair.plugin == "residual" else (-pair.high, -pair.low)
    assert f"{difference(better, low, high)} better" in page
    assert page.index("residual") < page.index("thumbnail")
    assert "which is no ranking" in page
    assert [one["name"] for one in json.loads((written / "comparison.json").read_text())["plugins"]] == [
        one.name for one in comparison.standings
    ]


def test_every_link_leads_to_a_file_of_the_folder_and_back(written):
    pages = sorted(written.rglob("*.html"))
    assert len(pages) == 4
    for page in pages:
        links = re.findall(r"""(?:href|src)="([^"]+)""", page.read_text())
        assert links
        for link in links:
            assert not re.match(r"[a-z]+:|/", link)
            assert (page.parent / link).resolve().is_file(), link
    assert "Model card: residual" in text(written / "cards" / "residual.html")
    assert (written / "cards" / "residual.md").read_text().startswith("# Model card: residual")


def test_a_leaderboard_is_replaced_as_a_whole_and_nothing_else_is(comparison, tmp_path):
    one = replace(comparison, standings=comparison.standings[:2])
    board = leaderboard.write(comparison, tmp_path / "board")
    assert len([*(board / "cards").glob("*.html")]) == 3
    leaderboard.write(one, board)
    assert len([*(board / "cards").glob("*.html")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["board"]
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years")
    with pytest.raises(UsageError, match=r"thesis\.tex"):
        leaderboard.write(one, mine)
    (mine / "thesis.tex").rename(mine / "index.html")
    with pytest.raises(UsageError, match=r"holds no comparison\.json"):
        leaderboard.write(one, mine)
    with pytest.raises(UsageError, match="is a file"):
        leaderboard.write(one, mine / "index.html")
    assert (mine / "index.html").read_text() == "years"


def test_names_of_any_kind_have_files_that_every_host_serves(comparison, tmp_path):
    strange = [replace(one, name=name) for one, name in zip(comparison.standings, ("../é", "a b", "a?b"), strict=True)]
    board = leaderboard.write(replace(comparison, standings=tuple(strange), pairs=()), tmp_path / "board")
    names = sorted(path.name for path in (board / "cards").glob("*.html"))
    assert names == ["a-b-2.html", "a-b.html", "model.html"]


def test_the_command_writes_it_beside_the_sentences(cli, tmp_path):
    done = cli("compare", "thumbnail", "--from", str(RESULTS), "--site-dir", str(tmp_path / "site"))
    assert done.returncode == 0, done.stderr
    assert f"Leaderboard: {tmp_path / 'site' / 'index.html'}" in done.stdout
    assert (tmp_path / "site" / "cards" / "thumbnail.html").is_file()
