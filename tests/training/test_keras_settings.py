"""The user's settings of Keras that do not fit are told before it is imported."""

import json

import pytest

from pneumobench.errors import UsageError
from pneumobench.training import keras_settings


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return tmp_path / "keras.json"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('{"image_data_format": "channels_first"}', "'channels_first', pneumobench needs 'channels_last'"),
        ('{"floatx": "float16"}', "floatx 'float16', pneumobench needs 'float32'"),
        ('{"backend": "theano"}', "is tensorflow or jax, not 'theano'"),
        ('{"backend": "tensorflow"', "cannot be read as one; delete or mend it"),
        ("[]", "cannot be read as one"),
        ("", "cannot be read as one"),
    ],
)
def test_a_file_of_older_days(file, written, message):
    file.write_text(written)
    with pytest.raises(UsageError, match=message):
        keras_settings.check()


def test_a_backend_that_is_not_used_or_not_installed(file, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(UsageError, match="KERAS_BACKEND is tensorflow or jax, not 'torch'"):
        keras_settings.check()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setattr(keras_settings, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="KERAS_BACKEND is jax, which is not installed here"):
        keras_settings.check()


def test_what_keras_writes_itself_fits_and_the_variable_goes_first(file, monkeypatch):
    keras_settings.check()
    usual = {"floatx": "float32", "epsilon": 1e-07, "backend": "torch", "image_data_format": "channels_last"}
    file.write_text(json.dumps(usual))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    keras_settings.check()
