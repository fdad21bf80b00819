"""Watt-hours that this machine used meanwhile, as far as its own counters tell: NVIDIA's boards, and the processors.

Read are NVML's counter of each visible GPU (millijoules since the driver was loaded; Volta and later) and Linux' RAPL
(microjoules of each processor package). Both count whatever else the device does. Nothing is estimated: codecarbon
would fill gaps with a processor's rated power, which is no measurement.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

RAPL = Path("/sys/class/powercap")
EVERY = 20.0  # seconds between two readings: RAPL's counter starts again after about 260 kJ, minutes at full load
JOULES = 3600.0  # of a watt-hour

Read = Callable[[], float]  # joules since any moment


class Meter:
    """Adds up the joules of each counter; a counter that fails or was reset adds nothing for that time."""

    def __init__(self, counters: dict[str, tuple[str, Read, float]]):
        self._counters = counters
        self._last = {name: self._read(name) for name in counters}
        self._joules = {name: 0.0 for name, value in self._last.items() if value is not None}
        self._lock = threading.Lock()

    def update(self) -> None:
        """Read every counter, and add what it grew by; one that starts again at `span` joules is followed."""
        with self._lock:
            for name in self._joules:
                now, before, span = self._read(name), self._last[name], self._counters[name][2]
                if now is not None and before is not None:
                    grown = now - before if now >= before else now - before + span
                    self._joules[name] += max(grown, 0.0)
                self._last[name] = now

    def watt_hours(self) -> dict[str, float]:
        """Watt-hours by kind of device, "gpu" and "cpu"; {} where no counter can be read."""
        self.update()
        used: dict[str, float] = {}
        for name, joules in self._joules.items():
            kind = self._counters[name][0]
            used[kind] = used.get(kind, 0.0) + joules / JOULES
        return used

    def metrics(self, prefix: str = "") -> dict[str, float]:
        """The same as metrics of a run: `energy_gpu_wh`, `energy_cpu_wh`."""
        return {f"{prefix}energy_{kind}_wh": value for kind, value in self.watt_hours().items()}

    def _read(self, name: str) -> float | None:
        try:
            return self._counters[name][1]()
        except Exception:  # of NVML or of the file: this counter tells nothing now
            return None


@contextmanager
def measuring() -> Iterator[Meter]:
    """A meter that runs inside the block, and reads its counters often enough not to miss one that starts again."""
    meter, done = Meter(_gpus() | _processors()), threading.Event()

    def watch() -> None:
        while not done.wait(EVERY):
            meter.update()

    watcher = threading.Thread(target=watch, name="energy", daemon=True)
    watcher.start()
    try:
        yield meter
    finally:
        done.set()
        watcher.join()


def _processors() -> dict[str, tuple[str, Read, float]]:
    """The RAPL counters of whole packages; on most systems root alone may read them."""
    found: dict[str, tuple[str, Read, float]] = {}
    for zone in sorted(RAPL.glob("intel-rapl:*")):
        with suppress(OSError, ValueError):
            if (zone / "name").read_text().strip().startswith("package"):
                span = float((zone / "max_energy_range_uj").read_text()) / 1e6
                found[zone.name] = ("cpu", _reader(zone / "energy_uj"), span)
    return found


def _reader(file: Path) -> Read:
    return lambda: float(file.read_text()) / 1e6


def _gpus() -> dict[str, tuple[str, Read, float]]:
    """NVML's counters of the GPUs that this process may use; {} without nvidia-ml-py or a driver."""
    try:
        import pynvml

        pynvml.nvmlInit()
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        names = map(str, range(pynvml.nvmlDeviceGetCount())) if visible is None else visible.split(",")
        handles = {name: _handle(pynvml, name.strip()) for name in names if name.strip() not in ("", "-1")}
    except Exception:  # there is no library, no driver, or no such device: nothing is claimed
        return {}

    def reader(handle: object) -> Read:
        return lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3

    return {f"gpu {name}": ("gpu", reader(handle), 0.0) for name, handle in handles.items()}


def _handle(pynvml: object, name: str) -> object:
    by_index, by_uuid = (getattr(pynvml, f"nvmlDeviceGetHandleBy{how}") for how in ("Index", "UUID"))
    return by_index(int(name)) if name.isdigit() else by_uuid(name)
