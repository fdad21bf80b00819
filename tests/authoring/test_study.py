import pytest

from pneumobench import Study
from pneumobench.authoring import registry, templates
from pneumobench.errors import PluginError, UsageError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"plugins": ()}, "one or more names"),
        ({"plugins": "baseline"}, "one or more names"),
        ({"metric": "val_auroc_"}, "did you mean 'val_auroc'"),
        ({"epochs": 0}, "at least 1 epoch"),
        ({"sampler": "bayes"}, "tpe, random, grid"),
        ({"pruner": "hyperband"}, "median, none"),
    ],
)
def test_what_cannot_be_a_study_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        Study(**{"plugins": ("thumbnail",), **wrong})


def test_built_in_studies_and_the_users_are_listed_together():
    entries = registry.STUDIES.entries()
    assert {"default", "transfer", "ablation", "quick"} <= set(entries)
    assert entries["default"].origin == "built-in"
    assert isinstance(registry.load_study("ablation"), Study)
    with pytest.raises(UsageError, match="no study named 'defalt'; did you mean 'default'"):
        registry.load_study("defalt")


def test_a_new_study_is_written_once_and_can_be_loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("PNEUMOBENCH_STUDIES", str(tmp_path))
    assert templates.write_study("mine") == tmp_path / "mine.py"
    assert registry.load_study("mine").plugins == ("thumbnail", "baseline")
    for taken in ("mine", "default"):
        with pytest.raises(UsageError, match="already exists"):
            templates.write_study(taken)
    with pytest.raises(UsageError, match="a valid module name"):
        templates.write_study("my-study")


def test_a_file_without_a_study_is_told_what_it_must_define(tmp_path, monkeypatch):
    (tmp_path / "empty_study.py").write_text("study = 3\n")
    monkeypatch.setenv("PNEUMOBENCH_STUDIES", str(tmp_path))
    with pytest.raises(PluginError, match="must define a value named `study` that is a Study; found int"):
        registry.load_study("empty_study")


@pytest.mark.parametrize("metrics", ["val_auroc", ("val_auroc",), ("val_auroc", "val_auroc"), ("seconds", "val_auroc")])
def test_several_metrics_are_two_or_three_and_the_first_is_none_of_time(metrics):
    with pytest.raises(UsageError):
        Study(plugins=("baseline",), metrics=metrics)
    assert Study(plugins=("baseline",), metrics=("val_auroc", "seconds")).metrics == ("val_auroc", "seconds")
