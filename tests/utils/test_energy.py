import sys
from types import SimpleNamespace

import pytest

from pneumobench.utils import energy


def zone(folder, number, name, microjoules):
    own = folder / f"intel-rapl:{number}"
    own.mkdir()
    for file, value in (("name", name), ("energy_uj", microjoules), ("max_energy_range_uj", 10_000_000)):
        (own / file).write_text(f"{value}\n")
    return own / "energy_uj"


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine without counters, to which a test may add some."""
    monkeypatch.setattr(energy, "RAPL", tmp_path)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tmp_path


def test_where_nothing_can_tell_nothing_is_claimed(bare):
    with energy.measuring() as meter:
        assert meter.watt_hours() == {}
        assert meter.metrics() == {}


def test_processor_packages_are_added_and_their_parts_are_not(bare):
    files = [zone(bare, "0", "package-0", 1_000_000), zone(bare, "1", "package-1", 5_000_000)]
    zone(bare, "0:0", "core", 0)
    with energy.measuring() as meter:
        files[0].write_text("8200000\n")  # 7.2 J
        files[1].write_text("1400000\n")  # it started again at 10 J: 6.4 J
        assert meter.watt_hours() == {"cpu": pytest.approx((7.2 + 6.4) / 3600)}
        files[0].unlink()
        assert meter.watt_hours() == {"cpu": pytest.approx((7.2 + 6.4) / 3600)}


def test_a_counter_that_may_not_be_read_is_none(bare):
    zone(bare, "0", "package-0", 1).unlink()
    with energy.measuring() as meter:
        assert meter.watt_hours() == {}


def test_visible_gpus_are_read_by_nvml(bare, monkeypatch):
    joules = {"0": 5.0, "GPU-b": 7.0}
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=str,
        nvmlDeviceGetHandleByUUID=str,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: joules[handle] * 1000,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,GPU-b")
    with energy.measuring() as meter:
        joules |= {"0": 41.0, "GPU-b": 10.0}
        assert meter.metrics() == {"energy_gpu_wh": pytest.approx(39 / 3600)}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with energy.measuring() as meter:
        assert meter.watt_hours() == {}
