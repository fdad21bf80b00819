from rich.console import Console

from pneumobench.search.snapshot import EndedTrial, RunningTrial, Snapshot
from pneumobench.search.told import Lines, headline, parts
from pneumobench.utils.progress import Progress


def snapshot(*ended):
    states = {"complete": len(ended), "pruned": 1, "fail": 2, "running": 1, "waiting": 0}
    return Snapshot(
        name="default",
        metric="val_auroc",
        target=50,
        states=states,
        running=(RunningTrial(7, "residual", "host:12", 3, 0.91),),
        ended=ended,
        improvements=((0, 0.8), (1, 0.9)),
        seconds=60.0,
        rate=0.05,
        left=3725.0,
    )


class Told(Progress):
    def __init__(self):
        self.facts = []

    def fact(self, text):
        self.facts.append(text)


ENDED = [EndedTrial(0, "thumbnail", "complete", 0.8, "", 1.0), EndedTrial(1, "residual", "complete", 0.9, "", 20.0)]


def test_counts_rate_and_time_left_are_in_one_line():
    assert headline(snapshot(*ENDED)) == (
        "study default: 3 of 50 trials done (1 pruned), 1 running, 2 failed  180 an hour, 1 h 02 min left"
    )


def test_each_trial_that_ends_is_told_once_and_what_was_there_is_no_news():
    told = Told()
    lines = Lines(told)
    lines(snapshot(ENDED[0]))
    lines(snapshot(*ENDED))
    lines(snapshot(*ENDED, EndedTrial(2, "baseline", "fail", None, "ValueError: no", 3.0)))
    assert len(told.facts) == 3
    assert told.facts[1].startswith("trial 1 residual: done  val_auroc 0.9000  20.0 s  (best so far)")
    assert "FAILED, ValueError: no" in told.facts[2]


def test_the_panel_shows_the_best_and_every_worker():
    console = Console(width=100, record=True)
    console.print(*parts(snapshot(*ENDED)), sep="\n")
    shown = console.export_text()
    assert "best val_auroc (trial): 0.8000 (0) → 0.9000 (1)" in shown
    assert "host:12" in shown
    assert "residual" in shown
    assert "0.9100" in shown
