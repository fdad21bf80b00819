"""Which trainings are one experiment: made of tags alone."""

import random

import pytest

from pneumobench.tracking.runs import experiments


def grouped(*runs):
    """Names and trainings, whatever the order of the runs."""
    shuffled = random.Random(0).sample(runs, len(runs))
    return {one.name: [run.run_id for run in one.runs] for one in experiments(shuffled)}


def test_seeds_and_divisions_are_axes_alike(run):
    assert grouped(run(0), run(1, seed=1), run(2, split_seed=1)) == {"a (split_seed 0, 1)": ["run0", "run2", "run1"]}


def test_the_same_training_again_replaces_the_first(run):
    assert grouped(run(0), run(1, seed=1), run(2)) == {"a": ["run2", "run1"]}


@pytest.mark.parametrize("tags", [{"git_commit": "abcdef012"}, {"versions": "keras 4"}])
def test_one_with_other_versions_or_code_is_told_apart(run, tags):
    name = f"a (commit {tags.get('git_commit', '1234567890')[:7]})"
    assert grouped(run(0), run(1, seed=1), run(2, **tags)) == {"a": ["run0", "run1"], name: ["run2"]}


def test_another_precision_or_backend_is_another_experiment(run):
    runs = run(0), run(1, precision="bfloat16"), run(2, backend="jax")
    assert grouped(*runs) == {"a": ["run0"], "a (precision bfloat16)": ["run1"], "a (backend jax)": ["run2"]}


def test_a_split_seed_that_gave_another_division_is_told_apart(run):
    assert len(grouped(run(0), run(1, seed=1, split_digest="other"))) == 2


def test_a_training_that_was_not_scored_hides_none_that_was(run):
    assert grouped(run(0), run(1, looks=None)) == {"a": ["run0"]}
    assert len(experiments([run(0), run(1, seed=1, looks=None)])) == 2


def test_seeds_added_after_a_look_are_marked(run):
    together = [run(0, parent="p"), run(1, seed=1, parent="p", started="2026-01-01T00:30:00+00:00")]
    assert experiments(together)[0].after_look == []
    at_once = [run(0), run(1, seed=1, started="2026-01-01T00:00:05+00:00")]
    assert experiments(at_once)[0].after_look == [], "begun before the first one was scored"
    later = [run(0), run(1, seed=1)]
    assert [one.seed for one in experiments(later)[0].after_look] == [1]


def test_one_runs_missing_files_hide_no_others(run):
    from dataclasses import replace

    from pneumobench.errors import TrackingError
    from pneumobench.tracking.runs import with_files

    def gone(part):
        raise TrackingError("no such file")

    numbers = {"training_seconds": 10.0, "threshold": 0.5, "threshold_ties": 1}
    runs = [replace(run(n, operating_point="youden"), metrics=numbers) for n in range(2)]
    kept, lost = with_files([runs[0], replace(runs[1], file=gone)])
    assert kept == [runs[0]]
    assert lost == ["run run1 (a, seed 0) is left out: no such file"]
