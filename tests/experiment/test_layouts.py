"""A run on a release of every layout, from its tables and files to a tracked result."""

import pytest

import pneumobench
from pneumobench.data import detect
from tests import trees


@pytest.mark.slow
@pytest.mark.parametrize("layout", sorted(trees.TREES))
def test_a_model_is_trained_and_scored_on_every_layout(layout, tmp_path, store):
    trees.TREES[layout](tmp_path, 60)
    result = pneumobench.run("thumbnail", data=tmp_path / trees.FILES.get(layout, ""), tracking_uri=store.uri)
    assert result.test["auroc"].value > 0.9
    assert store.run(result.run_id).info.status == "FINISHED"


def test_every_layout_has_a_tree():
    assert set(trees.TREES) == set(detect.entries()) - {"phantom"}
