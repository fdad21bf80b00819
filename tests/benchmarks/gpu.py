"""What a GPU makes of it, in one call of under eight minutes; it also runs to its end without one.

    KERAS_BACKEND=jax python tests/benchmarks/gpu.py [--data DATA] [--seconds 420] [--images 1500] [--out gpu.json]

It needs the package, Keras with JAX or TensorFlow, no network, and no images but those it draws. Each section runs in
a process of its own; one that fails, or takes longer than what is left of `--seconds`, costs its own lines alone. What
is found is in the JSON file after every section, and in a table at the end.

- rates of `baseline`, `residual` and `transfer` (random weights: nothing is downloaded), in float32 and bfloat16: the
  bare step (one batch that stays on the device, the compiled training step called again and again), ours (the
  trainer's epochs, without validation), ours augmented; the share of an epoch and its validation in which no kernel
  ran (from JAX' profiler), and `nvidia-smi`'s utilisation meanwhile;
- precision: what `--precision auto` chooses, beside the rates that should justify it;
- run: one run tracked from end to end; its model then predicts in a process that sees no GPU, beside one that does;
- memory: bytes alive on the device after each of three trainings in one process;
- study: three trials with one worker, and the GPU's memory meanwhile.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MARK = "RESULT "
PLUGINS = {"baseline": {}, "residual": {}, "transfer": {"weights": "none"}}
PRECISIONS = ("float32", "bfloat16")
STUDY = 'from pneumobench import Study\n\nstudy = Study(plugins=("baseline",), epochs=2)\n'


class Enough(Exception):  # noqa: N818 - it is no error
    """A training has shown what it was started for."""


# --- what the sections do, each in a process of its own ---


def environment(options: argparse.Namespace) -> None:
    """The machine, the libraries, and what is used in place of pretrained weights."""
    from pneumobench.training import backend
    from pneumobench.utils import provenance

    keep(
        "environment",
        machine=f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        python=platform.python_version(),
        versions=provenance.versions(),
        backend=backend.name(),
        device=backend.device(),
        devices=[str(device) for device in backend.keras().distribution.list_devices()],
        gpu=smi("name,driver_version,memory.total") or "none",
        weights="transfer has random weights: none are downloaded",
    )


def rates(options: argparse.Namespace) -> None:
    """Images per second of one plugin, in both precisions."""
    from pneumobench.authoring import knobs

    plain, augmented, values = variants(options)
    for precision in PRECISIONS:
        bare = attempt(f"{options.plugin}/{precision}/bare", bare_step, plain, values, precision, options)
        for kind, plugin in (("ours", plain), ("augmented", augmented)):
            filled = knobs.resolve(plugin, values)
            measured = attempt(f"{options.plugin}/{precision}/{kind}", ours, plugin, filled, precision, options)
            if bare and measured:
                of_bare = measured["images_per_second"] / bare["images_per_second"]
                keep(f"{options.plugin}/{precision}/{kind}", **measured, of_bare=round(of_bare, 3))


def variants(options: argparse.Namespace) -> tuple[Any, Any, dict[str, Any]]:
    """A plugin without augmentation, the same with that of `augmented`, and the knobs to set."""
    from pneumobench import View
    from pneumobench.authoring import registry
    from pneumobench.plugins.augmented import augment

    name = options.plugin
    plugin = registry.load(name)
    if options.side:  # for a quick look on a CPU
        channels = 1 if name == "residual" else 3
        plugin = replace(plugin, view=View(options.side, options.side, channels=channels), batch_size=8)
    strengths = {"geometry", "exposure", "quality"}
    defaults = {key: value for key, value in plugin.defaults.items() if key not in strengths}
    chosen = {"backbone": options.backbone} if name == "transfer" else {}
    return (
        replace(plugin, augment=None, defaults=defaults),
        replace(plugin, augment=augment, defaults=defaults),
        PLUGINS[name] | chosen,
    )


def bare_step(plugin: Any, values: dict[str, Any], precision: str, options: argparse.Namespace) -> dict[str, Any]:
    """The compiled step of the last phase on one batch that is on the device, called again and again."""
    import numpy as np

    from pneumobench.authoring import knobs
    from pneumobench.authoring.knobs import call, value_of
    from pneumobench.training import backend, feeding, network, returned

    filled = knobs.resolve(plugin, values)
    view, size = value_of(plugin.view, filled), value_of(plugin.batch_size, filled)
    model, resolved = network.build(plugin, view, filled, precision, options.plugin)
    phases = []
    for phase in call(plugin.schedule, model, knobs=filled):
        phases.append(phase)
    loss = value_of(plugin.loss, filled) if callable(plugin.loss) else plugin.loss
    model.compile(returned.optimizer(phases[-1], 1000), loss, jit_compile=backend.name() == "jax")
    rng = np.random.default_rng(0)
    pixels = feeding.send(rng.integers(0, 256, (size, view.height, view.width), dtype=np.uint8))
    labels = feeding.send(rng.integers(0, 2, (size, 1)).astype(np.float32))
    batch = (feeding.images(pixels, view), labels, feeding.send(np.ones(size, np.float32)))
    if plugin.weigh is None:
        batch = batch[:2]
    step = stepper(model, batch)
    began = time.perf_counter()
    step(2)
    compiled = time.perf_counter() - began
    chunks, ends = [], time.perf_counter() + options.each
    while time.perf_counter() < ends or len(chunks) < 2:
        began = time.perf_counter()
        step(options.steps)
        chunks.append(options.steps * size / (time.perf_counter() - began))
    return {
        "images_per_second": round(statistics.median(chunks), 1),
        "batch": size,
        "precision": resolved,
        "seconds_to_first_step": round(compiled, 1),
    }


def stepper(model: Any, batch: tuple[Any, ...]) -> Any:
    """A function that calls the compiled training step so many times, and waits for the last."""
    from pneumobench.training import backend

    model.optimizer.build(model.trainable_variables)
    if backend.name() == "jax":
        model._symbolic_build(data_batch=batch)
        model.make_train_function()
        kinds = ("trainable", "non_trainable", "optimizer", "metrics")
        state = [model._get_jax_state(**{f"{kind}_variables": True for kind in kinds})]

        def step(count: int) -> None:
            for _ in range(count):
                logs, state[0] = model.train_function(state[0], itertools.repeat(batch))
            float(logs["loss"])

        return step
    model.make_train_function()

    def step_tensorflow(count: int) -> None:
        for _ in range(count):
            logs = model.train_function(itertools.repeat(batch))
        float(logs["loss"])

    return step_tensorflow


def ours(plugin: Any, values: dict[str, Any], precision: str, options: argparse.Namespace) -> dict[str, Any]:
    """The trainer's epochs of the last phase, the first of them left out, in which graphs are compiled."""
    from pneumobench.authoring.knobs import call, value_of
    from pneumobench.training import backend, network, trainer

    view, size = value_of(plugin.view, values), value_of(plugin.batch_size, values)
    model, _ = network.build(plugin, view, values, precision, options.plugin)
    last = [phase.name for phase in call(plugin.schedule, model, knobs=values)][-1]
    del model
    many = {"tune_epochs": 10_000} if options.plugin == "transfer" else {"epochs": 10_000}
    development = whole_batches(options.data, size)
    seconds, whole, waits = [], [], {}
    trace = Trace()
    ends = [time.perf_counter()]

    def on_epoch(epoch: Any) -> None:
        now = time.perf_counter()
        if trace.is_on:
            waits.update(trace.stop())
        elif epoch.phase == last:
            seconds.append(epoch.seconds)
            whole.append(now - ends[-1])
        ends.append(time.perf_counter())
        measured = sum(whole[1:])
        if len(whole) >= 3 and measured > options.each:
            if waits or backend.device() == "cpu" or backend.name() != "jax":
                raise Enough
            trace.start()
            ends[-1] = time.perf_counter()

    with utilisation() as used, suppress(Enough):
        trainer.train(plugin, development, values | many, seed=0, precision=precision, on_epoch=on_epoch)
    images = len(development.training)
    return {
        "images_per_second": round(images / statistics.median(seconds[1:]), 1),
        "with_validation": round(images / statistics.median(whole[1:]), 1),
        "epochs": len(seconds),
        "images": images,
        **waits,
        **({"nvidia_smi_utilisation": statistics.median(used)} if used else {}),
    }


def whole_batches(data: Path, size: int) -> Any:
    """The development part of the images, cut to whole batches, so that each step has one shape."""
    import numpy as np

    from pneumobench.data import split
    from pneumobench.data.load import load_folder
    from pneumobench.data.subset import Part

    development, _ = split.split(load_folder(data), policy="official")

    def cut(part: Any, batch: int) -> Any:
        kept = max(1, len(part) // batch) * batch
        chosen = np.random.default_rng(0).permutation(len(part))[:kept]
        return Part(part.dataset.subset(np.isin(np.arange(len(part)), chosen)), part.source)

    return replace(development, training=cut(development.training, size), validation=cut(development.validation, 128))


class Trace:
    """JAX' profiler around some work: the share of its time in which the GPU ran no kernel."""

    def __init__(self) -> None:
        self.is_on = False

    def start(self) -> None:
        """Begin."""
        import jax

        self._folder = tempfile.mkdtemp()
        jax.profiler.start_trace(self._folder)
        self.is_on, self._began = True, time.perf_counter()

    def stop(self) -> dict[str, Any]:
        """End, and read what was recorded."""
        import jax

        wall = time.perf_counter() - self._began
        jax.profiler.stop_trace()
        self.is_on = False
        busy = busy_seconds(Path(self._folder))
        if busy is None:
            return {"waiting": "no kernel in the profile"}
        return {"waiting": round(1 - busy / wall, 3), "waiting_of_seconds": round(wall, 3)}


def busy_seconds(folder: Path) -> float | None:
    """Seconds in which at least one of the GPU's streams was busy, in a folder of JAX' profiler; None if none was."""
    spans = []
    for path in folder.rglob("*.trace.json.gz"):
        events = json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
        names = {e["pid"]: e["args"]["name"] for e in events if e.get("name") == "process_name"}
        threads = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e.get("name") == "thread_name"}
        for event in events:
            is_kernel = event.get("ph") == "X" and "GPU" in names.get(event["pid"], "")
            if is_kernel and "Stream" in threads.get((event["pid"], event["tid"]), "Stream"):
                spans.append((event["ts"], event["ts"] + event.get("dur", 0)))
    if not spans:
        return None
    busy, end = 0.0, 0.0
    for start, stop in sorted(spans):
        busy += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return busy / 1e6


def precision(options: argparse.Namespace) -> None:
    """What `--precision auto` chooses here."""
    from pneumobench.training.precision import resolve

    keep("precision", auto=resolve("auto"))


def run(options: argparse.Namespace) -> None:
    """A tracked run, and its model in two processes: one with the GPU, one without."""
    began = time.perf_counter()
    done = command("run", "baseline", "--data", str(options.data), "--epochs", "2", "--json")
    result = json.loads(done)
    keep("run", seconds=round(time.perf_counter() - began, 1), result=scalars(result))
    files = [str(path) for path in sorted((options.data / "test").rglob("*.jpeg"))[:8]]
    answers = {}
    for device, hidden in (("here", {}), ("cpu", {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""})):
        began = time.perf_counter()
        answers[device] = json.loads(command("predict", *files, "--model", run_id(result), "--json", **hidden))
        keep("run", **{f"seconds_to_predict_{device}": round(time.perf_counter() - began, 1)})
    pairs = list(zip(probabilities(answers["here"]), probabilities(answers["cpu"]), strict=True))
    keep("run", images_predicted=len(pairs), largest_difference_on_cpu=max(abs(a - b) for a, b in pairs))


def memory(options: argparse.Namespace) -> None:
    """Bytes alive on the device after each of three trainings in one process."""
    import gc

    from pneumobench.authoring import knobs, registry
    from pneumobench.training import backend, trainer

    plugin = registry.load("baseline")
    after = []
    for seed in range(3):
        development = whole_batches(options.data, 64)
        trainer.train(plugin, development, knobs.resolve(plugin, {}), seed=seed, epochs=1)
        backend.forget()
        gc.collect()
        after.append(alive())
        keep("memory", after_each=after)


def alive() -> dict[str, Any]:
    """Bytes that JAX holds on its first device, counted by its arrays and, where it says so, by its allocator."""
    from pneumobench.training import backend

    if backend.name() != "jax":
        return {"note": "counted on JAX alone"}
    import jax

    said = jax.devices()[0].memory_stats() or {}
    arrays = sum(array.nbytes for array in jax.live_arrays())
    return {"arrays": arrays, **{key: said[key] for key in ("bytes_in_use", "peak_bytes_in_use") if key in said}}


def study(options: argparse.Namespace) -> None:
    """Three trials with one worker."""
    Path("studies").mkdir(exist_ok=True)
    Path("studies/gpu.py").write_text('"""Three trials on a GPU."""\n\n' + STUDY)
    began = time.perf_counter()
    words = ("study", "gpu", "--trials", "3", "--workers", "1", "--studies-dir", "studies", "--data", str(options.data))
    with utilisation("memory.used") as used:
        summary = json.loads(command(*words, "--json"))
    keep("study", seconds=round(time.perf_counter() - began, 1), result=scalars(summary))
    if used:
        keep("study", gpu_memory_mib={"least": min(used), "most": max(used), "last": used[-1]})


# --- what the sections share ---


def keep(name: str, **values: Any) -> None:
    """Hand values of a section to the process that started it."""
    print(MARK + json.dumps({name: values}), flush=True)


def attempt(name: str, work: Any, *arguments: Any) -> dict[str, Any] | None:
    """What `work` returns, kept; or its error, kept."""
    try:
        values: dict[str, Any] = work(*arguments)
    except Exception as error:
        traceback.print_exc()
        keep(name, error=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
        return None
    keep(name, **values)
    return values


def command(*words: str, **more: str) -> str:
    """What pneumobench's command line prints. Raises: RuntimeError with the end of its errors."""
    done = subprocess.run(
        [sys.executable, "-m", "pneumobench", *words], capture_output=True, text=True, env=os.environ | more
    )
    if done.returncode:
        raise RuntimeError(f"pneumobench {words[0]} ended with {done.returncode}: {done.stderr[-600:]}")
    return done.stdout


def scalars(value: dict[str, Any]) -> dict[str, Any]:
    """The numbers and words at the top of a result."""
    return {key: item for key, item in value.items() if isinstance(item, str | int | float)}


def run_id(result: dict[str, Any]) -> str:
    """The MLflow run of a result, wherever it is in it."""
    ids = [value for key, value in walk(result) if key == "run_id"]
    return str(ids[0])


def probabilities(answer: Any) -> list[float]:
    """The probabilities in what `predict --json` prints, in order."""
    return [float(value) for key, value in walk(answer) if key == "probability"]


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every key and value in nested JSON."""
    yield key, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from walk(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item, key if not isinstance(item, dict) else "")


def smi(query: str) -> str:
    """One line of nvidia-smi, or nothing."""
    try:
        words = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits"]
        return subprocess.run(words, capture_output=True, text=True, timeout=20).stdout.strip().partition("\n")[0]
    except (OSError, subprocess.TimeoutExpired):
        return ""


@contextmanager
def utilisation(query: str = "utilization.gpu") -> Iterator[list[float]]:
    """What nvidia-smi says several times a second while the block runs; nothing where there is none."""
    seen: list[float] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            said = smi(query)
            if not said.replace(".", "").isdigit():
                return
            seen.append(float(said))
            over.wait(0.2)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join(20)


# --- the process that starts them ---

SECTIONS = (
    ("environment", {}, 5),
    ("precision", {}, 5),
    ("rates", {"plugin": "baseline"}, 20),
    ("run", {}, 30),
    ("memory", {}, 15),
    ("study", {}, 30),
    ("rates", {"plugin": "residual"}, 30),
    ("rates", {"plugin": "transfer"}, 30),
)
TIGHT = 100  # seconds left under which `transfer` is measured with MobileNet, which is compiled sooner


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="phantom", help="A folder of X-rays, or phantom: drawn images.")
    parser.add_argument("--seconds", type=float, default=420)
    parser.add_argument("--images", type=int, default=1500, help="Of the phantom.")
    parser.add_argument("--each", type=float, default=4, help="Seconds that each rate is measured for.")
    parser.add_argument("--steps", type=int, default=20, help="Steps between two looks at the clock.")
    parser.add_argument("--backbone", default="InceptionV3", help="Of transfer.")
    parser.add_argument("--side", type=int, default=0, help="Measure rates at this size, 8 images a batch.")
    parser.add_argument("--only", nargs="*", help="Sections, such as run, or rates:baseline.")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--section", help=argparse.SUPPRESS)
    parser.add_argument("--plugin", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "jax")
    if options.section:
        options.data = Path(options.data)
        globals()[options.section](options)
        return
    start(options)


def start(options: argparse.Namespace) -> None:
    """Run the sections one after the other, and write down what each of them found."""
    ends = time.monotonic() + options.seconds
    out = options.out.resolve()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ.update(
            PNEUMOBENCH_CACHE=f"{folder}/cache",
            JAX_COMPILATION_CACHE_DIR=f"{folder}/compiled",  # the bare step and ours are one program
            JAX_PERSISTENT_COMPILATION_CACHE_MIN_COMPILE_TIME_SECS="0.5",
            TF_CPP_MIN_LOG_LEVEL="3",
            PYTHONPATH=os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        )
        began = time.monotonic()
        data = images(options, Path(folder))
        results["images"] = {"folder": options.data, "seconds": round(time.monotonic() - began, 1)}
        for section, more, least in SECTIONS:
            name = ":".join([section, *more.values()])
            if options.only and name not in options.only:
                continue
            left = ends - time.monotonic()
            if left < least:
                results.setdefault(name, {})["skipped"] = f"{left:.0f} s were left"
            else:
                backbone = "MobileNet" if left < TIGHT and name == "rates:transfer" else options.backbone
                one(section, name, data, options, results, folder, left, backbone)
            out.write_text(json.dumps(results, indent=2))
    table(results)
    print(f"written to {out}")


def images(options: argparse.Namespace, folder: Path) -> Path:
    """The folder of the images, drawn first if it is the phantom's."""
    if options.data != "phantom":
        return Path(options.data).resolve()
    sys.path.insert(0, str(ROOT))
    from pneumobench.data.layouts.phantom import Phantom, write

    share = options.images / 1500
    train, test = (round(275 * share), round(825 * share)), (round(150 * share), round(250 * share))
    write(Phantom(train=train, test=test), folder / "images")
    return folder / "images"


def one(
    section: str,
    name: str,
    data: Path,
    options: argparse.Namespace,
    results: dict[str, Any],
    folder: str,
    left: float,
    backbone: str,
) -> None:
    """One section in its process; what it printed before it ended, however it ended, is kept."""
    words = [sys.executable, str(Path(__file__).resolve()), "--section", section, "--data", str(data)]
    words += ["--each", str(options.each), "--steps", str(options.steps), "--backbone", backbone]
    words += ["--side", str(options.side)]
    words += ["--plugin", name.partition(":")[2]] if ":" in name else []
    began = time.monotonic()
    log = Path(folder) / "log.txt"
    with log.open("w") as file:
        code = in_time(words, left, stdout=file, stderr=subprocess.STDOUT, cwd=folder)
    fault = f"stopped after {left:.0f} s" if code is None else f"ended with {code}" if code else ""
    said = log.read_text(errors="replace")
    for line in said.splitlines():
        if line.startswith(MARK):
            for key, values in json.loads(line.removeprefix(MARK)).items():
                results.setdefault(key, {}).update(values)
    seconds = round(time.monotonic() - began, 1)
    results.setdefault("sections", {})[name] = {"seconds": seconds, **({"fault": fault} if fault else {})}
    if name == "rates:transfer":
        results["sections"][name]["backbone"] = backbone
    print(f"{name}: {seconds:.0f} s {fault}", flush=True)
    if fault:
        results["sections"][name]["end_of_log"] = said[-1500:]
        print(said[-1500:], flush=True)


def in_time(words: list[str], seconds: float, **more: Any) -> int | None:
    """The exit code of a command; None if its time was up, or ours: then all that it started is killed, too."""
    process = subprocess.Popen(words, start_new_session=True, **more)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):  # none of its group is left
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def table(results: dict[str, Any]) -> None:
    """The rates as a table, then everything else as it is."""
    print(f"\n{'':26} {'images/s':>10} {'of bare':>8} {'with validation':>16} {'GPU waits':>10} {'smi %':>6}")
    for name, row in results.items():
        if name.count("/") == 2:
            if "error" in row:
                print(f"{name:26} {row['error'][:90]}")
                continue
            keys = ("images_per_second", "of_bare", "with_validation", "waiting", "nvidia_smi_utilisation")
            print("{:26} {:>10} {:>8} {:>16} {:>10} {:>6}".format(name, *(str(row.get(key, "")) for key in keys)))
    faster = {
        plugin: round(b["images_per_second"] / a["images_per_second"], 2)
        for plugin in PLUGINS
        if (a := results.get(f"{plugin}/float32/ours", {})).get("images_per_second")
        and (b := results.get(f"{plugin}/bfloat16/ours", {})).get("images_per_second")
    }
    print(f"auto chooses {results.get('precision', {}).get('auto', '?')}; bfloat16 over float32, ours: {faster}")
    for name, row in results.items():
        if name.count("/") != 2 and name != "precision":
            print(f"{name}: {json.dumps(row)}")


if __name__ == "__main__":
    main()
