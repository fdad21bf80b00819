import pytest

from pneumobench.training import backend

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    backend.keras()
    from pneumobench.plugins.baseline import build

    return build((150, 150, 3))


def test_it_has_the_published_number_of_parameters(model):
    assert model.count_params() == 1_176_297


def test_its_only_output_is_the_auxiliary_head(model):
    assert model.output_names == ["aux_output"]
    assert model.output_shape == (None, 1)


def test_its_layers_are_the_published_ones_in_shape(model):
    shapes = [layer.output.shape[1:] for layer in model.layers if "conv" in layer.name][:3]
    assert shapes == [(74, 74, 32), (72, 72, 32), (72, 72, 64)]
    joined = [layer.output.shape[1:] for layer in model.layers if "concatenate" in layer.name]
    assert joined == [(35, 35, 64 + 64 + 16 + 32), (35, 35, 128 + 96 + 32 + 64)]
    dropout = next(layer for layer in model.layers if "dropout" in layer.name)
    assert dropout.rate == 0.5


def test_it_trains_as_published():
    from pneumobench.authoring import knobs, registry

    plugin = registry.load("baseline")
    values = knobs.resolve(plugin, {})
    (phase,) = knobs.call(plugin.schedule, None, knobs=values)
    assert (phase.epochs, phase.learning_rate, phase.optimizer) == (5, 1e-3, "adam")
    assert (plugin.batch_size, plugin.loss) == (64, "binary_crossentropy")
    assert plugin.weigh is None
    assert plugin.resample is None
    assert plugin.view.shape == (150, 150, 3)
