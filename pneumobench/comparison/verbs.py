"""`compare` and `plan` as a library's verbs and as commands: what is tracked or exported, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pneumobench.authoring.differences import REFERENCE
from pneumobench.comparison import compare as comparing
from pneumobench.comparison import plan as planning
from pneumobench.comparison.answer import Answer
from pneumobench.comparison.plan import Plan
from pneumobench.experiment.result import Result
from pneumobench.tracking.importing import as_guest
from pneumobench.tracking.runs import of_store
from pneumobench.tracking.store import Store
from pneumobench.tracking.trainings import trainings
from pneumobench.utils.live import shown
from pneumobench.utils.progress import Progress


@as_guest()
@shown
def compare(
    names: Sequence[str] | str = (),
    *,
    against: str = REFERENCE,
    metric: str = "auroc",
    split: str | None = None,
    all_pairs: bool = False,
    margin: float | None = None,
    site: Sequence[str] | str = (),
    within: str | None = None,
    by: Sequence[str] | str = (),
    source: str | Path | None = None,
    html: str | Path | None = None,
    site_dir: str | Path | None = None,
    data: str | Path | None = None,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Say which plugins are better than a reference, by how much, and how sure that is; nothing is trained.

    `names` are plugins or run ids, by default every plugin; `against` is the reference. Trainings of `split` are
    compared, by default of the most common one. `all_pairs` tests every pair and gives ranks. `margin` also tests
    whether plugins are no worse by more than that, and goes into the ledger. `site` names sites where `external` judged
    the models, AUROC `within` a column there; `by` are columns inside whose groups the same pairs are compared.
    `source` is a folder of exported runs, read instead of the tracking store. `html` also writes a report, with
    pictures where the images (`data`) are available, and `site_dir` a leaderboard, a folder of pages.
    Raises: UsageError where nothing is left to compare, saying what to run.
    """
    progress = progress or Progress()
    comparing.check(metric, margin)
    store = Store(tracking_uri)
    tracked = trainings((), source, store, progress.note)
    progress.stage("resampling patients")
    answer = comparing.compare(
        tracked,
        _several(names),
        against=against,
        metric=metric,
        policy=split,
        all_pairs=all_pairs,
        margin=None if margin is None else store.ledger.name_margin(metric, margin),
        sites=_several(site),
        within=within,
        by=_several(by),
    )
    if html is not None:
        progress.stage("drawing the report")
        _write(answer, store, html, data, is_tracked=source is None)
    if site_dir is not None:
        from pneumobench.comparison import leaderboard

        leaderboard.write(answer, Path(site_dir), store if source is None else None)
    return answer


def of_results(results: Sequence[Result], store: Store, html: str | Path | None = None) -> Answer | None:
    """The plugins of one call that were scored on the test images, compared with the baseline or else with the first.

    None where fewer than two may be compared. `html` also writes a report.
    """
    scored = [one for one in results if one.test is not None and len(results) > 1]
    ids = {training.run_id for one in scored for training in one.runs}
    runs = [run for run in of_store(store) if run.run_id in ids and "permuted" not in run.tags] if ids else []
    names = list(dict.fromkeys(one.plugin for one in scored if one.plugin in {run.plugin for run in runs}))
    if len(names) < 2:
        return None
    answer = comparing.compare(runs, names, against=REFERENCE if REFERENCE in names else names[0])
    if html is not None:
        _write(answer, store, html, None, is_tracked=True)
    return answer


def _write(answer: Answer, store: Store, html: str | Path, data: str | Path | None, *, is_tracked: bool) -> None:
    """Write the report to a file and, of tracked runs, to the store as well."""
    from pneumobench.comparison import report

    made = report.of(answer, store, data)
    made.write(Path(html))
    if is_tracked:
        made.log(store)


@as_guest()
@shown
def plan(
    names: Sequence[str] | str = (),
    *,
    difference: float = 0.01,
    metric: str = "auroc",
    against: str = REFERENCE,
    margin: float | None = None,
    plot: str | Path | None = None,
    source: str | Path | None = None,
    tracking_uri: str | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Say how many trainings and test patients a difference needs, from the variances of tracked trainings.

    `names` are plugins or run ids, by default every plugin; `against` is the reference. `margin` names the margin of a
    later comparison now: it goes into the ledger, before any look. `plot` also draws detectable differences into a
    file; `source` is a folder of exported runs, read instead of the tracking store.
    Raises: UsageError where fewer than two plugins have two trainings.
    """
    progress = progress or Progress()
    comparing.check(metric, margin)
    store = Store(tracking_uri)
    tracked = trainings((), source, store, progress.note)
    progress.stage("resampling patients")
    made = planning.plan(tracked, _several(names), against=against, metric=metric, difference=difference)
    if margin is not None:
        made = made.with_margin(store.ledger.name_margin(metric, margin))
    if plot is not None:
        made.draw(Path(plot))
    return made


def _several(given: Sequence[str] | str | None) -> Sequence[str]:
    return [given] if isinstance(given, str) else given or ()
