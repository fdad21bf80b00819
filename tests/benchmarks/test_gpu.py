"""The benchmark for a GPU runs to its end without one, and leaves nothing running."""

import argparse
import gzip
import json
import os
import subprocess
import sys
import time

import psutil
import pytest

from tests.benchmarks import gpu


def test_what_a_section_started_ends_with_its_time(tmp_path):
    child = f'{sys.executable} -c \'import os, time; open("child", "w").write(str(os.getpid())); time.sleep(60)\''
    assert gpu.in_time(["sh", "-c", f"{child} & wait"], 3, cwd=tmp_path) is None
    pid = int((tmp_path / "child").read_text())
    for _ in range(50):  # until its new parent has read its exit code
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    pytest.fail("the section's child still runs")


def test_a_section_that_fails_costs_its_own_lines_alone(tmp_path):
    assert gpu.in_time(["sh", "-c", "exit 3"], 60) == 3
    results = {}
    options = argparse.Namespace(each=1.0, steps=1, side=0, data="phantom")
    gpu.one("nosuch", "nosuch", tmp_path, options, results, str(tmp_path), 60, "MobileNet")
    assert results["sections"]["nosuch"]["fault"] == "ended with 1"


def test_the_busy_time_of_a_gpu_is_the_union_of_its_streams(tmp_path):
    def event(tid, start, length):
        return {"ph": "X", "pid": 1, "tid": tid, "ts": start, "dur": length}

    names = [
        {"name": "process_name", "pid": 1, "args": {"name": "/device:GPU:0"}},
        {"name": "thread_name", "pid": 1, "tid": 1, "args": {"name": "Stream #1"}},
        {"name": "thread_name", "pid": 1, "tid": 2, "args": {"name": "Stream #2"}},
        {"name": "thread_name", "pid": 1, "tid": 3, "args": {"name": "XLA Modules"}},
    ]
    events = [event(1, 0, 1e6), event(2, 5e5, 1e6), event(1, 3e6, 1e6), event(3, 0, 9e6)]
    (tmp_path / "a.trace.json.gz").write_bytes(gzip.compress(json.dumps({"traceEvents": names + events}).encode()))
    assert gpu.busy_seconds(tmp_path) == pytest.approx(2.5)


@pytest.mark.slow
def test_it_runs_to_its_end_without_a_gpu(tmp_path):
    words = ["--images", "100", "--each", ".1", "--steps", "1", "--side", "64", "--out", "gpu.json"]
    sections = ["environment", "precision", "rates:baseline"]
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, gpu.__file__, *words, "--only", *sections],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "gpu.json").read_text())
    assert set(results["sections"]) == set(sections)
    assert not [section for section in results["sections"].values() if "fault" in section]
    assert results["environment"]["device"] == "cpu"
    for kind in ("bare", "ours", "augmented"):
        assert results[f"baseline/float32/{kind}"]["images_per_second"] > 0, results
