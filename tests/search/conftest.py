"""Places for studies: a folder, its commands, its storage and its tracking store."""

import os
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from functools import cached_property

import pytest
from optuna.trial import TrialState

import pneumobench
from pneumobench.search.endings import ERROR
from pneumobench.search.storage import Storage
from pneumobench.search.trials import RUN, Trials
from pneumobench.tracking.store import Store

PATIENCE = 240


class Place:
    """A folder with a running study: its command, its storage and its tracking store."""

    def __init__(self, folder, data, tracking_uri, storage=None, **environment):
        self.folder, self.data = folder, data
        self.storage = storage or f"sqlite:///{folder}/runs/studies.db"
        self.uri = tracking_uri
        self.leave = folder / "leave"
        self.environment = os.environ | {"PNEUMOBENCH_TEST_LEAVE": str(self.leave)} | environment

    def command(self, *words):
        data = ["--data", str(self.data)] if words[0] in ("study", "worker") else []
        return [sys.executable, "-m", "pneumobench", *words, *data]

    def run(self, *words, **options):
        return subprocess.run(
            self.command(*words, "--storage", self.storage, "--tracking-uri", self.uri),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            **options,
        )

    def study(self, name, **how):
        """The same in this process, which has imported everything already."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            return pneumobench.study(name, data=self.data, storage=self.storage, tracking_uri=self.uri, **how)

    def start(self, *words):
        with (self.folder / "errors.log").open("ab") as errors:
            return subprocess.Popen(
                self.command(*words, "--storage", self.storage, "--tracking-uri", self.uri),
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )

    def let(self, trials):
        """Let this many trials of the study `waiting` continue, including future ones."""
        self.leave.mkdir(exist_ok=True)
        for _ in range(trials):
            (self.leave / uuid.uuid4().hex).touch()

    def store(self):
        return Store(self.uri)

    @cached_property
    def _opened(self):
        """The storage, opened once: a test that polls must not use up a server's connections."""
        return Storage(self.storage)

    def trials(self, name):
        return Trials(self._opened, name)

    def close(self):
        """Close the connections to the storage."""
        if "_opened" in vars(self):
            self._opened._engine.dispose()

    def wait_for_epochs(self, study, name, trials=1):
        """The running trials, once at least `trials` of them have finished an epoch."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends and study.poll() is None:
            try:
                running = [t for t in self.trials(name).running() if (t.last_step or 0) >= 1]
            except Exception:  # not made yet
                running = []
            if len(running) >= trials:
                return running
            time.sleep(0.2)
        raise AssertionError((self.folder / "errors.log").read_text()[-3000:])

    def wait_until_it_can_be_joined(self, study, name):
        """Return once a worker on another machine could join the study."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends and study.poll() is None:
            with suppress(Exception):  # not made yet
                if "job" in self.trials(name).study.user_attrs:
                    return
            time.sleep(0.2)
        raise AssertionError((self.folder / "errors.log").read_text()[-3000:])

    def agreed(self, name):
        """The trials, after checking that Optuna and MLflow agree on the state of each."""
        trials, store = self.trials(name), Store(self.uri)
        parent = trials.study.user_attrs["mlflow_run"]
        runs = {run.info.run_id: run for run in store.children(parent, {"study": name})}
        assert store.run(parent).info.status == "FINISHED"
        for trial in trials.all():
            assert trial.state is not TrialState.RUNNING
            if RUN not in trial.user_attrs:  # it failed before its run was created, or is waiting
                assert trial.state in (TrialState.FAIL, TrialState.WAITING)
                continue
            run = runs.pop(trial.user_attrs[RUN])
            state = run.data.tags["state"]
            if trial.state is TrialState.COMPLETE:
                assert (state, run.info.status) == ("complete", "FINISHED")
                assert run.data.metrics[trials.study.user_attrs["metric"]] == pytest.approx(trial.value)
            elif trial.state is TrialState.PRUNED:
                assert (state, run.info.status) == ("pruned", "FINISHED")
            else:
                assert state in ("fail", "interrupted")
                assert run.info.status in ("FAILED", "KILLED")
                assert trial.user_attrs[ERROR].split(":")[0] in run.data.tags["error"]
        assert not [run for run in runs.values() if run.info.status == "RUNNING"]
        return trials


@pytest.fixture(scope="module")
def a_place(new_store):
    """Makes places: `a_place(folder, data, storage=…, tracking_uri=…)`, with an empty store unless told otherwise."""

    places = []

    def make(folder, data, storage=None, tracking_uri=None, **environment):
        places.append(Place(folder, data, tracking_uri or new_store(folder / "runs"), storage, **environment))
        return places[-1]

    yield make
    for place in places:
        place.close()


@pytest.fixture
def place(tmp_path, phantom_folder, a_place):
    """A place for one test."""
    return a_place(tmp_path, phantom_folder)
