import numpy as np
import pytest

from pneumobench.training import backend

pytestmark = pytest.mark.slow


def test_many_networks_in_one_process_are_no_warning(caplog):
    keras = backend.keras()
    for _ in range(8):
        inputs = keras.Input((2,))
        network = keras.Model(inputs, keras.layers.Dense(1)(inputs))
        for count in (1, 2, 3):
            backend.outputs(network, np.zeros((count, 2), np.float32))
    assert not [record for record in caplog.records if "retracing" in record.getMessage()]
