"""What a study costs beside its trainings, and what it saves.

    python tests/benchmarks/study_speed.py overhead [--trials 500]
    python tests/benchmarks/study_speed.py workers [--trials 12]
    python tests/benchmarks/study_speed.py plain DATA [--trials 12] [--limit 400] [--epochs 5]

- overhead: one worker trains so many trials that take milliseconds each (`knobby` of the tests' plugins). Printed
  are seconds a trial beside the fit, and the worker's memory, at the 10th, the 100th … and the last trial.
- workers: the same trials of `tiny`'s kind with one worker and with two, start-up left out.
- plain: a study of the small network that `pneumobench plugins new` writes, against a plain Optuna loop over the same
  space, seed and number of trials that opens and decodes every file in every epoch and never prunes; the two, one
  after the other, in processes of their own. Printed are trials an hour, start-up included, and the best validation
  AUROC of each.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).parents[1]


def overhead(trials: int) -> None:
    """Seconds beside the fit, and memory, as trials go by."""
    import pneumobench
    from pneumobench.execution.process import memory
    from pneumobench.search.job import Job
    from pneumobench.search.storage import Storage
    from pneumobench.search.trials import RUN, Trials
    from pneumobench.search.worker import Worker
    from pneumobench.tracking.store import Store

    pneumobench.study("quick", data="phantom", trials=1)
    storage = Storage()
    held = Trials(storage, "quick")
    held.set_target(trials)
    settings = json.loads(held.study.user_attrs["job"])
    store = Store()
    worker = Worker(Job.from_plain(settings, storage=storage.url, tracking_uri=store.uri).with_data("phantom"))
    print(f"{'trials':>12}  seconds beside the fit (median)  memory of the worker, MB")
    marks = [mark for mark in (10, 100, 200, 300, 400, 500, 1000) if mark < trials] + [trials]
    taken: list[float] = []
    for number in range(2, trials + 1):  # the first one is trained already
        began = time.perf_counter()
        report = worker.trial()
        if report is None or report.state != "complete":
            raise SystemExit(f"a trial went wrong: {report}")
        whole = time.perf_counter() - began
        (trial,) = [t for t in held.all() if t.number == report.number]
        taken.append(whole - store.run(trial.user_attrs[RUN]).data.metrics["training_seconds"])
        if number in marks:
            print(f"to {number:>9}  {statistics.median(taken):31.3f}  {memory() / 1e6:24.0f}", flush=True)
            taken = []


def workers(trials: int) -> None:
    """Wall seconds of the same trials with one worker and with two, between the first start and the last end."""
    import pneumobench
    from pneumobench.search.storage import Storage
    from pneumobench.search.trials import FINISHED, Trials

    rates = {}
    for count in (1, 2):
        pneumobench.study("slow", name=f"workers{count}", data="phantom", trials=trials, workers=count)
        done = Trials(Storage(), f"workers{count}").all(*FINISHED)
        span = max(t.datetime_complete for t in done) - min(t.datetime_start for t in done)
        rates[count] = len(done) / span.total_seconds() * 3600
        print(f"{count} worker{'s' if count > 1 else ''}: {rates[count]:,.0f} trials an hour")
    print(f"two workers over one: {rates[2] / rates[1]:.2f}")


def plain(data: Path, trials: int, limit: int, epochs: int) -> None:
    """A study and a plain loop, each in a process of its own."""
    rates = {}
    for kind in ("study", "loop"):
        began = time.perf_counter()
        command = [sys.executable, __file__, f"_{kind}", str(data)]
        command += ["--trials", str(trials), "--limit", str(limit), "--epochs", str(epochs)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        best = float(done.stdout.split()[-1])
        rates[kind] = trials / seconds * 3600
        print(f"{kind}: {rates[kind]:,.1f} trials an hour, best validation AUROC {best:.4f}", flush=True)
    print(f"study over plain loop: {rates['study'] / rates['loop']:.2f}")


def as_study(data: Path, trials: int, limit: int, epochs: int) -> float:
    """The best value of a study of the small network."""
    import pneumobench

    small_network()
    outcome = pneumobench.study("small", data=data, trials=trials, limit=limit, epochs=epochs)
    return outcome.summary.best[0].value


def small_network() -> None:
    """Write the network and a study of it into this folder, and have them found."""
    from pneumobench.authoring import templates

    folder = Path.cwd()
    os.environ["PNEUMOBENCH_PLUGINS"] = os.environ["PNEUMOBENCH_STUDIES"] = ""
    (folder / "plugins").mkdir()
    (folder / "studies").mkdir()
    templates.write("small_network", folder=folder / "plugins")
    text = "from pneumobench import Study\n\nstudy = Study(plugins=('small_network',))\n"
    (folder / "studies" / "small.py").write_text(text)


def as_loop(data: Path, trials: int, limit: int, epochs: int) -> float:
    """The same without a cache and without pruning."""
    import keras
    import numpy as np
    import optuna
    from PIL import Image
    from sklearn.metrics import roc_auc_score

    from pneumobench.authoring import knobs, registry
    from pneumobench.data import split
    from pneumobench.data.load import load_folder
    from pneumobench.training.network import apportion
    from pneumobench.training.sampling import sample

    small_network()
    plugin = registry.load("small_network")
    view = plugin.view
    development, _ = split.split(split.limit(load_folder(data), limit))

    def decoded(part, rows):
        for row in rows:
            with Image.open(part.dataset.root / str(part.dataset.paths[row])) as image:
                yield np.asarray(image.convert("L").resize((view.width, view.height)))

    class Files(keras.utils.PyDataset):
        def __init__(self, part, batch, augment, shuffle, weights):
            super().__init__(workers=1)
            self.part, self.batch, self.augment, self.weights = part, batch, augment, weights
            self.order = np.random.default_rng(0).permutation(len(part)) if shuffle else np.arange(len(part))

        def __len__(self):
            return -(-len(self.part) // self.batch)

        def __getitem__(self, index):
            rows = self.order[index * self.batch : (index + 1) * self.batch]
            images = [self.augment(image=one)["image"] if self.augment else one for one in decoded(self.part, rows)]
            X = np.repeat(np.stack(images).astype("float32")[..., None], view.channels, axis=3)
            y = self.part.labels[rows].astype("float32")[:, None]
            return (X, y) if self.weights is None else (X, y, self.weights[rows])

    def objective(trial):
        values = knobs.resolve(plugin, knobs.call(plugin.space, trial, knobs=knobs.resolve(plugin, {})))
        keras.utils.clear_session()
        keras.utils.set_random_seed(0)
        model = knobs.call(plugin.build, view.shape, knobs=values)
        augment = plugin.augment and knobs.call(plugin.augment, knobs=values)
        _, weights = sample(plugin, development.training.labels, 0)
        training = Files(development.training, plugin.batch_size, augment, True, weights)
        phases = list(knobs.call(plugin.schedule, model, knobs=values))
        for phase, count in zip(phases, apportion([p.epochs for p in phases], epochs, "small_network"), strict=True):
            model.compile(
                optimizer=keras.optimizers.Adam(phase.learning_rate),
                loss=knobs.value_of(plugin.loss, values),
                jit_compile=False,
            )
            validation = Files(development.validation, 128, None, False, None)
            model.fit(training, epochs=count, verbose=0, validation_data=validation)
        said = model.predict(Files(development.validation, 128, None, False, None), verbose=0)[:, 0]
        return roc_auc_score(development.validation.labels, said)

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=trials)
    return study.best_value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["overhead", "workers", "plain", "_study", "_loop"])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--trials", type=int)
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=5)
    asked = parser.parse_args()
    os.environ["PNEUMOBENCH_PLUGINS"] = str(TESTS / "example_plugins")
    os.environ["PNEUMOBENCH_STUDIES"] = str(TESTS / "example_studies")
    data = asked.data.absolute() if asked.data else None
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if asked.what == "overhead":
            overhead(asked.trials or 500)
        elif asked.what == "workers":
            workers(asked.trials or 12)
        elif data is None:
            parser.error("which images? DATA is missing")
        elif asked.what == "plain":
            plain(data, asked.trials or 12, asked.limit, asked.epochs)
        else:
            call = as_study if asked.what == "_study" else as_loop
            print(call(data, asked.trials, asked.limit, asked.epochs))


if __name__ == "__main__":
    main()
