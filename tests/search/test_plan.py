import pytest

from pneumobench.data import prepare
from pneumobench.data.options import DataOptions
from pneumobench.errors import PluginError, UsageError
from pneumobench.search.plan import make_plan
from pneumobench.training.options import TrainOptions
from pneumobench.utils.progress import Progress


@pytest.fixture(scope="module")
def images(phantom_folder):
    return prepare.load(DataOptions(data=phantom_folder), Progress())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"plugins": ["tiny"]}, "no plugin in study 'quick' named 'tiny'"),
        ({"metric": "auroc"}, "no metric named 'auroc'; did you mean 'val_auroc'"),
        ({"assigned": {"C": "1"}}, r"PLUGIN\.KNOB=VALUE"),
        ({"assigned": {"knobby.CC": "1"}}, "no knob named 'CC'"),
        ({"assigned": {"knobby.C": "1"}}, "nothing to search"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_trained(changed, message):
    with pytest.raises(UsageError, match=message):
        make_plan("quick", **changed)


def test_a_plugin_without_a_space_is_refused(tmp_path, monkeypatch):
    (tmp_path / "spaceless.py").write_text("from pneumobench import Study\nstudy = Study(plugins=('tiny',))\n")
    monkeypatch.setenv("PNEUMOBENCH_STUDIES", str(tmp_path))
    with pytest.raises(PluginError, match="plugin 'tiny' has no space"):
        make_plan("spaceless")


def test_epochs_fix_the_knob_that_they_override_and_do_not_apply_to_estimators():
    made = make_plan("default", plugins=["baseline", "thumbnail"])
    assert made.fixed == {"baseline": {"epochs": 3}, "thumbnail": {}}
    assert (made.epochs_of("baseline"), made.epochs_of("thumbnail")) == (3, None)
    assert "baseline.epochs" not in made.space.parameters()


def test_the_ablation_is_a_grid_over_every_ingredient():
    combinations = make_plan("ablation").combinations
    assert len(combinations) == 4 * 2**3
    assert combinations != make_plan("ablation", train=TrainOptions(seed=1)).combinations


def test_what_binds_a_study_changes_with_budget_space_and_knobs(images):
    plain = make_plan("quick").identity(images)
    assert plain["dataset fingerprint"] == images.dataset.fingerprint
    for changed, key in (
        ({"metric": "val_log_loss"}, "metric"),
        ({"assigned": {"knobby.seconds": "0.5"}}, "fixed knobs"),
        ({"train": TrainOptions(seed=1)}, "seed"),
    ):
        other = make_plan("quick", **changed).identity(images)
        assert [name for name in plain if plain[name] != other[name]] == [key]
