"""The report of the exported real runs: complete, self-contained, and alive in a browser where there is one."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from pneumobench import exported, report
from pneumobench.cli.tables import cell
from pneumobench.comparing import compare
from pneumobench.errors import UsageError

pytestmark = pytest.mark.slow
RESULTS = Path(__file__).parents[1] / "results"


@pytest.fixture(scope="module")
def found():
    return compare(exported.read(RESULTS), ["residual", "probe", "thumbnail"], resamples=1000)


@pytest.fixture(scope="module")
def html(found):
    return report.render(found, cell)


def test_the_sentences_come_first_then_the_pictures_and_the_tables(html, found):
    text = re.sub(r"<[^>]+>", "", html)
    places = [text.index(pair.sentence.replace("'", "&#39;")) for pair in found.pairs]
    assert places == sorted(places)
    assert places[-1] < text.index("Differences from baseline") < text.index("Every plugin") < text.index("Commands")
    for standing in found.standings:
        assert cell(standing.test["auroc"]) in text
    assert "76.44 % accurate at 0.5, one proportion of 624 images" in text


def test_it_needs_no_network(html):
    addresses = re.findall(r"""(?:src|href)\s*=\s*["']([^"'#]+)""", html)
    assert addresses == []
    assert "@import" not in html
    assert html.count("<svg") == 2 + 3


def test_names_are_escaped_and_a_phantom_says_that_it_is_one(found):
    strange = replace(found, dataset="phantom", published=None, published_among=None, left_out=("<b>odd</b>",))
    html = report.render(strange, cell)
    assert "<b>odd</b>" not in html
    assert "These images are synthetic" in html


def test_a_file_that_cannot_be_written_is_one_line(found, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        report.write(found, tmp_path / "taken" / "report.html", cell)
    path = report.write(found, tmp_path / "new" / "report.html", cell)
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium here")
def test_a_click_sorts_the_table_in_a_browser(found, tmp_path):
    html = report.render(found, cell)
    click = "<script>document.querySelectorAll('table.sortable')[1].querySelectorAll('th button')[1].click()</script>"
    path = tmp_path / "report.html"
    path.write_text(html.replace("</body>", f"{click}{click}</body>"))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    table = done.stdout.split('table class="sortable"')[2]
    names = re.findall(r"<tr><td>(\w+)<small>", table)
    assert 'aria-sort="ascending"' in table
    assert names == [one.name for one in sorted(found.standings, key=lambda one: one.test["auroc"].value)]
