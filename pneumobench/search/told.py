"""What a study tells of a snapshot while it runs: a line for each trial, and the whole as lines and a table."""

from __future__ import annotations

from pneumobench.search.snapshot import EndedTrial, Snapshot
from pneumobench.utils.progress import Progress
from pneumobench.utils.tables import Grid, Part, styled, table

SHOWN = 5  # improvements of the best value


class Lines:
    """A line for each trial that ended since the last look."""

    def __init__(self, progress: Progress, *, headed: bool = True):
        self._progress, self._headed = progress, headed
        self._reported: set[int] | None = None

    def __call__(self, now: Snapshot) -> None:
        if self._reported is None:  # what a resumed study holds is not news
            self._reported = {trial.number for trial in now.ended}
            if self._headed:
                self._progress.fact(headline(now))
        for trial in now.ended:
            if trial.number not in self._reported:
                self._reported.add(trial.number)
                self._progress.fact(f"{line(trial, now)}  [{now.finished} of {now.target}]")


def parts(now: Snapshot) -> list[Part]:
    """Counts, the best so far and how it changed, and what each worker does."""
    steps = " → ".join(f"{value:.4f} ({number})" for number, value in now.improvements[-SHOWN:]) or "none yet"
    idle = styled(("workers are starting, or between two trials", "dim"))
    best = f"best {now.metric} (trial): {steps}"
    return [styled((headline(now), "bold")), best, _workers(now) if now.running else idle]


def headline(now: Snapshot) -> str:
    """Trials by state, rate and time left, in a line."""
    counts = f"{now.finished} of {now.target} trials done ({now.states['pruned']} pruned)"
    counts += f", {now.states['running']} running, {now.states['fail']} failed"
    rate = f"  {now.rate * 3600:,.0f} an hour" if now.rate else ""
    left = "" if now.left is None else f", {_span(now.left)} left"
    return f"study {now.name}: {counts}{rate}{left}"


def line(trial: EndedTrial, now: Snapshot) -> str:
    """One finished trial in a line."""
    if trial.state == "fail":
        return f"trial {trial.number} {trial.plugin}: FAILED, {trial.error}"
    value = "" if trial.value is None else f"  {now.metric} {trial.value:.4f}"
    best = "  (best so far)" if trial.number in {number for number, _ in now.improvements[-1:]} else ""
    state = "pruned" if trial.state == "pruned" else "done"
    return f"trial {trial.number} {trial.plugin}: {state}{value}  {trial.seconds:.1f} s{best}"


def _workers(now: Snapshot) -> Grid:
    rows = []
    for one in now.running:
        value = "-" if one.value is None else f"{one.value:.4f}"
        rows.append((one.worker, str(one.number), one.plugin, str(one.epoch), value))
    return table(("worker", "trial", "plugin", "epoch", now.metric), rows)


def _span(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
