"""Workers and the hardware that each of them sees, with the machine's GPUs faked."""

import sys
from dataclasses import dataclass

import pytest

from pneumobench.errors import UsageError
from pneumobench.execution.engine import LocalEngine


@dataclass
class Job:
    """What a worker is told; these do not read it."""

    opens: str = "none"

    def plain(self):
        return {}


@pytest.fixture
def gpus(tmp_path, monkeypatch):
    """A machine on which nvidia-smi lists so many GPUs."""

    def fake(count):
        program = tmp_path / "bin" / "nvidia-smi"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\n" + "".join(f"echo {index}\n" for index in range(count)))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return fake


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """The devices that each of an engine's workers sees, as real processes with the workers' environment say."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncat > /dev/null\necho "${CUDA_VISIBLE_DEVICES-all}" >&2\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))

    def ask(engine):
        for slot in range(engine.workers):
            handle = engine.start(slot, Job())
            handle._worker.stdin.close()
            handle._worker.wait()
        return [(tmp_path / f"worker-{slot + 1}.log").read_text().strip() for slot in range(engine.workers)]

    return ask


def test_each_worker_sees_a_gpu_of_its_own(gpus, seen, tmp_path):
    gpus(3)
    assert seen(LocalEngine.of(None, tmp_path)) == ["0", "1", "2"]
    with pytest.raises(UsageError, match="--workers is at most 3, one for each GPU, not 4"):
        LocalEngine.of(4, tmp_path)


def test_workers_with_gpus_share_the_cores_that_feed_them(gpus, tmp_path, monkeypatch):
    gpus(4)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)))
    engine = LocalEngine.of(None, tmp_path)
    assert [environment["OMP_NUM_THREADS"] for environment in engine.environments] == ["4"] * 4
    assert "OMP_NUM_THREADS" not in LocalEngine.of(1, tmp_path).environments[0]


def test_a_worker_that_replaces_another_sees_the_same_gpu(gpus, seen, tmp_path):
    gpus(2)
    engine = LocalEngine.of(2, tmp_path)
    seen(engine)
    handle = engine.restart(1, Job(), None)
    handle._worker.stdin.close()
    handle._worker.wait()
    assert (tmp_path / "worker-2.log").read_text().split() == ["1", "1"]


@pytest.mark.parametrize(
    ("visible", "each"),
    [
        ("2,5", ["2", "5"]),
        (" 1 , GPU-8f2a ", ["1", "GPU-8f2a"]),
        ("3,3", ["3"]),  # a GPU named twice is one GPU
        ("0,-1,1", ["0"]),  # CUDA reads to the first that is none
    ],
)
def test_gpus_that_the_user_hides_are_given_to_no_worker(gpus, seen, tmp_path, monkeypatch, visible, each):
    gpus(8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert seen(LocalEngine.of(None, tmp_path)) == each


@pytest.mark.parametrize("visible", ["", "-1"])
def test_without_a_visible_gpu_workers_share_the_cores(gpus, seen, tmp_path, monkeypatch, visible):
    gpus(8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)))
    engine = LocalEngine.of(3, tmp_path)
    assert [environment["OMP_NUM_THREADS"] for environment in engine.environments] == ["2", "2", "2"]
    assert seen(engine) == [visible] * 3
