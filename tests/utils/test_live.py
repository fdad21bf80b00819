import sys
from types import SimpleNamespace

import pytest

from pneumobench.errors import Interrupted, UsageError
from pneumobench.utils import live
from pneumobench.utils.progress import Epoch, Progress

EPOCH = Epoch(1, 2, "train", 0.5, 0.9, 0.4, 0.8, 1e-3, 2.0, 100.0)


@pytest.fixture
def pages(monkeypatch):
    """What a notebook shows, after each drawing."""
    drawn = []
    display = pytest.importorskip("IPython.display")
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: SimpleNamespace(kernel=object()))

    class Handle:
        def update(self, page):
            drawn.append(page._repr_html_().partition("</style>")[2])

    def shown(page, display_id):
        Handle().update(page)
        return Handle()

    monkeypatch.setattr(display, "display", shown)
    monkeypatch.setattr(live, "OFTEN", 0.0)
    return drawn


@live.shown
def verb(work, *, progress=None):
    work(progress or Progress())
    return type(progress).__name__


def training(progress):
    progress.note("no images < found", "phantom")
    progress.training("seed 0", 2, 10)
    progress.batch(1, 5, 0.7)
    progress.epoch(EPOCH)
    progress.stage("scoring")
    progress.advance(3, 8)


def test_a_verb_shows_its_progress_in_a_notebook_and_takes_the_bar_away(pages):
    assert verb(training) == "NotebookProgress"
    text = "".join(pages)
    assert "<b>phantom</b> no images &lt; found" in text
    assert '<progress max="20" value="5"></progress> epoch 1/2 5 of 20 loss 0.7000' in text
    assert '<progress max="8" value="3"></progress> scoring 3 of 8' in text
    assert "<progress" not in pages[-1]
    assert "validation AUROC 0.9000" in pages[-1]


def test_elsewhere_and_with_a_display_of_ones_own_it_shows_none(pages, monkeypatch):
    assert verb(training, progress=Progress()) == "Progress"
    monkeypatch.setattr(live, "in_notebook", lambda: False)
    assert verb(training) == "NoneType"
    assert pages == []


def test_an_interruption_is_said_in_one_line_and_is_still_one(pages):
    def work(progress):
        progress.stage("hashing")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        verb(work)
    assert isinstance(raised.value, Interrupted)
    (line,) = raised.value._render_traceback_()
    assert line.startswith("Interrupted: ")
    assert "<b>interrupted</b>: hashing" in pages[-1]


def test_an_error_before_anything_was_shown_leaves_nothing(pages):
    def work(progress):
        raise UsageError("no such plugin")

    with pytest.raises(UsageError):
        verb(work)
    assert pages == []


def test_of_many_lines_the_last_ones_are_in_sight(pages):
    verb(lambda progress: [progress.fact(f"line {n}") for n in range(20)])
    assert f"<summary>{20 - live.SHOWN} lines before</summary>" in pages[-1]
