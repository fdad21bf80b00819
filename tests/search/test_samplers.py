import optuna

from pneumobench.search import samplers
from pneumobench.search.space import PLUGIN


def suggestions(seed, count, storage=None, name="s"):
    study = optuna.create_study(
        storage=storage, study_name=name, load_if_exists=True, sampler=samplers.sampler("tpe", seed)
    )
    values = []
    for _ in range(count):
        trial = study.ask()
        values.append(trial.suggest_float("x", 0, 1))
        study.tell(trial, values[-1])
    return values


def test_equal_seeds_give_equal_trials_and_others_do_not():
    assert suggestions(0, 15) == suggestions(0, 15)
    assert suggestions(0, 3) != suggestions(1, 3)


def test_a_resumed_study_continues_as_if_it_had_never_stopped(tmp_path):
    storage = optuna.storages.RDBStorage(f"sqlite:///{tmp_path}/s.db")
    assert suggestions(0, 6, storage) + suggestions(0, 9, storage) == suggestions(0, 15)


def test_two_workers_do_not_draw_the_same():
    study = optuna.create_study()
    drawn = []
    for _ in range(2):  # each with a separate sampler, as in two processes
        study.sampler = samplers.sampler("random", 0)
        drawn += [study.ask().suggest_float("x", 0, 1) for _ in range(5)]
    assert len(set(drawn)) == 10


def test_a_plugin_is_pruned_by_its_own_trials_alone():
    study = optuna.create_study(direction="maximize", pruner=samplers.pruner("median"))

    def trial_of(plugin, value):
        study.enqueue_trial({PLUGIN: plugin})
        trial = study.ask()
        trial.suggest_categorical(PLUGIN, ["good", "slow"])
        trial.report(value, 1)
        return trial

    for _ in range(6):
        study.tell(trial_of("good", 0.9), 0.9)
    assert trial_of("good", 0.5).should_prune()
    assert not trial_of("slow", 0.5).should_prune()
