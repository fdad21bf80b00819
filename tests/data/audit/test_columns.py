from dataclasses import replace

import numpy as np
import pytest

from pneumobench.data.audit import audit, columns
from pneumobench.data.lockbox import Ledger, Look
from pneumobench.utils.progress import Progress


@pytest.fixture
def described(dataset):
    """The phantom with a view, half of which is that of its label, and other columns."""
    rng = np.random.default_rng(0)
    n = len(dataset)
    bedside = np.where(rng.random(n) < 0.8, dataset.labels, 1 - dataset.labels) == 1
    known = {
        "view": np.where(bedside, "PA", "AP"),
        "age": np.where(dataset.labels == 1, "70", "50").astype(object) + rng.integers(0, 10, n).astype(str),
        "sex": np.where(rng.random(n) < 0.5, "F", "M"),
        "ward": np.array(["A", "B", "C"])[dataset.labels + (rng.random(n) < 0.3)],
        "name": np.array([f"image {i}" for i in range(n)]),
        "same": np.full(n, "x"),
    }
    return replace(dataset, columns={name: values.astype(str) for name, values in known.items()})


def test_a_column_that_predicts_the_label_is_a_shortcut_whichever_way_it_points(described):
    findings = {one.text.split(" ")[0]: one for one in columns.of_label(described)}
    assert set(findings) == {"view", "age", "ward"}
    assert "view alone (AP as the positive sign) predicts pneumonia with AUROC ." in findings["view"].text
    assert findings["view"].figures["high"] < 0.4
    assert findings["age"].figures["auroc"] == pytest.approx(1.0)
    ap, positive = described.columns["view"] == "AP", described.labels == 1
    by_hand = 0.5 + (ap[positive].mean() - ap[~positive].mean()) / 2
    assert findings["view"].figures["auroc"] == pytest.approx(by_hand)


def test_images_without_a_value_are_left_out_and_counted(described):
    views = described.columns["view"].copy()
    views[:6] = ""
    (found,) = columns.of_label(replace(described, columns={"view": views}))
    assert found.text.endswith(f"on the {len(described) - 6:,} images that have one")


def test_patients_in_both_classes_are_counted(dataset):
    assert columns.both_classes(dataset) == []
    patients = dataset.patients.copy()
    patients[[np.flatnonzero(dataset.labels == label)[0] for label in (0, 1)]] = "both"
    (found,) = columns.both_classes(replace(dataset, patients=patients))
    assert found.text == "1 patient with images of both classes, such as both"


def test_a_dataset_of_test_images_alone_is_audited_too(described, tmp_path):
    alone = described.subset(described.origins == "test")
    closed = audit(alone, Progress())
    assert closed.decoded == 0
    assert any("view alone" in one.text for one in closed.findings)
    assert closed.not_looked_for["shortcut"] == "in pixels: --include-test decodes the test images"
    look = Look.now(dataset=alone.name, fingerprint=alone.fingerprint)
    assert audit(alone, Progress(), test=(Ledger(tmp_path), look)).decoded == len(alone)


def test_sites_that_look_different_are_told_apart(dataset, monkeypatch):
    from pneumobench.data.audit import image_stats

    traits = image_stats.gather(dataset, Progress())
    sites = np.where(np.unique(dataset.patients, return_inverse=True)[1] % 2 == 0, "north", "south")
    apart = replace(traits, brightness=traits.brightness + 100 * (sites == "north"))
    assert columns.of_sites(dataset, apart) == []
    texts = [one.text for one in columns.of_sites(replace(dataset, columns={"site": sites}), apart)]
    assert texts
    assert all("images of north can be told from those of other sites" in text for text in texts)
