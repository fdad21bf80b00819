import pytest

from pneumobench.errors import UsageError
from pneumobench.training import precision
from pneumobench.training.options import TrainOptions


def test_an_explicit_precision_is_used():
    assert precision.resolve("float32") == "float32"
    assert precision.resolve("bfloat16") == "bfloat16"


def test_an_unknown_precision_is_refused():
    with pytest.raises(UsageError, match="--precision is one of auto, float32, bfloat16, not 'half'"):
        TrainOptions(precision="half")


@pytest.mark.parametrize(
    ("flags", "expected"), [("fpu avx2", False), ("fpu avx512_bf16", True), ("fpu amx_bf16 x", True)]
)
def test_a_cpu_is_fast_where_it_has_bf16_units(monkeypatch, flags, expected):
    monkeypatch.setattr(precision.Path, "read_text", lambda _: f"model name: x\nflags\t\t: {flags}\nbugs: none")
    assert precision._cpu_is_fast() is expected


@pytest.mark.slow
def test_the_policy_is_restored_afterwards():
    from pneumobench.training import backend

    keras = backend.keras()
    with precision.policy("bfloat16"):
        assert keras.config.dtype_policy().compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().compute_dtype == "float32"
