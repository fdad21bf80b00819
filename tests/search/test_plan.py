import pytest

from pneumobench.data import prepare
from pneumobench.errors import PluginError, UsageError
from pneumobench.search.plan import plan
from pneumobench.utils.progress import Progress


@pytest.fixture(scope="module")
def images(phantom_folder):
    return prepare.load(
        phantom_folder, split="patient", split_seed=0, limit=None, skip_unreadable=False, progress=Progress()
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"plugins": ["tiny"]}, "no plugin in study 'quick' named 'tiny'"),
        ({"metric": "auroc"}, "no metric named 'auroc'; did you mean 'val_auroc'"),
        ({"assigned": {"C": "1"}}, r"PLUGIN\.KNOB=VALUE"),
        ({"assigned": {"knobby.CC": "1"}}, "no knob named 'CC'"),
        ({"assigned": {"knobby.C": "1"}}, "nothing to search"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_trained(changed, told):
    with pytest.raises(UsageError, match=told):
        plan("quick", **changed)


def test_a_plugin_without_a_space_is_refused(tmp_path, monkeypatch):
    (tmp_path / "spaceless.py").write_text("from pneumobench import Study\nstudy = Study(plugins=('tiny',))\n")
    monkeypatch.setenv("PNEUMOBENCH_STUDIES", str(tmp_path))
    with pytest.raises(PluginError, match="plugin 'tiny' has no space"):
        plan("spaceless")


def test_a_budget_fixes_the_knob_that_it_overrules_and_passes_estimators_by():
    made = plan("default", plugins=["baseline", "thumbnail"])
    assert made.fixed == {"baseline": {"epochs": 3}, "thumbnail": {}}
    assert (made.epochs_of("baseline"), made.epochs_of("thumbnail")) == (3, None)
    assert "baseline.epochs" not in made.space.parameters()


def test_the_ablation_is_a_grid_over_every_ingredient():
    found = plan("ablation").combinations
    assert len(found) == 4 * 2**3
    assert found != plan("ablation", seed=1).combinations


def test_what_binds_a_study_changes_with_budget_space_and_knobs(images):
    plain = plan("quick").bound(images)
    assert plain["dataset fingerprint"] == images.dataset.fingerprint
    for changed, key in (
        ({"epochs": None, "metric": "val_log_loss"}, "metric"),
        ({"assigned": {"knobby.seconds": "0.5"}}, "fixed knobs"),
        ({"seed": 1}, "seed"),
    ):
        other = plan("quick", **changed).bound(images)
        assert [name for name in plain if plain[name] != other[name]] == [key]
