"""Tables of predictions, as other frameworks write them, and what is said of each fault in one."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pneumobench.data import predicted
from pneumobench.errors import DataError, UsageError


@pytest.fixture
def test(dataset):
    return dataset.origins == "test"


@pytest.fixture
def said(dataset, test):
    """A probability for each test image."""
    return np.random.default_rng(0).uniform(size=test.sum()).round(6)


def written(path, header, rows):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def test_images_are_known_by_path_by_name_and_by_content(dataset, test, said, tmp_path):
    paths, hashes = dataset.paths[test].tolist(), dataset.hashes[test].tolist()
    names = {
        "path": paths,
        "image_path": [f"/elsewhere/xrays/{path}" for path in paths],
        "FileName": [path.replace("/", "\\") for path in paths],
        "image_id": [path.rpartition("/")[2].partition(".")[0] for path in paths],
        "hash": [digest.upper() for digest in hashes],
    }
    order = np.random.default_rng(1).permutation(len(paths))
    for column, values in names.items():
        file = written(tmp_path / "p.csv", f"{column},Probability", [(values[i], said[i]) for i in order])
        assert np.array_equal(predicted.read(file, dataset, test, whole=True)[0], said), column


def test_parquet_and_several_seeds(dataset, test, said, tmp_path):
    paths = dataset.paths[test].tolist()
    table = pa.table({"image": paths * 2, "prob": [*said, *(1 - said)], "seed": [3] * len(paths) + [5] * len(paths)})
    pq.write_table(table, tmp_path / "p.parquet")
    read = predicted.read(tmp_path / "p.parquet", dataset, test, whole=True)
    assert list(read) == [3, 5]
    assert np.array_equal(read[5], 1 - said)
    with pytest.raises(UsageError, match="has a column of seeds"):
        predicted.read(tmp_path / "p.parquet", dataset, test, seed=1, whole=True)


def test_every_fault_is_named_in_one_line(dataset, test, said, tmp_path):
    rows = list(zip(dataset.paths[test].tolist(), said.tolist(), strict=True))
    development = str(dataset.paths[~test][0])

    def fault(rows, header="path,probability"):
        with pytest.raises((DataError, UsageError)) as error:
            predicted.read(written(tmp_path / "p.csv", header, rows), dataset, test, whole=True)
        assert "\n" not in str(error.value)
        return str(error.value)

    assert f"2 of {len(rows)} images are missing, such as {rows[0][0]}" in fault(rows[2:])
    assert f"1 images are named more than once, such as {rows[0][0]}" in fault([*rows, rows[0]])
    assert "1 rows name no image of the data, such as other.png" in fault([*rows, ("other.png", 0.5)])
    assert "1 rows name development images where test images are asked for" in fault([*rows, (development, 0.5)])
    assert f"1 probabilities are not in [0, 1], such as 1.5 for {rows[0][0]}" in fault([(rows[0][0], 1.5), *rows[1:]])
    assert "such as none for" in fault([(rows[0][0], ""), *rows[1:]])
    labels = [(path, int(value > 0.5)) for path, value in rows]
    assert "holds labels, not probabilities" in fault(labels)
    assert "holds labels, not probabilities" in fault([(path, "NORMAL") for path, _ in rows], "path,label")
    assert "has no column of probabilities" in fault(rows, "path,confidence")
    assert "has no column that names images" in fault(rows, "picture,probability")
    flipped = [(*row, 1 - label) for row, label in zip(rows, dataset.labels[test].tolist(), strict=True)]
    assert f"{len(rows)} labels are not those of the images" in fault(flipped, "path,probability,label")
    both = fault([("other.png", 2), *rows[2:]])
    assert "missing" in both
    assert "name no image" in both
    assert "not in [0, 1]" in both


def test_a_path_is_not_taken_for_another_image_of_the_same_name(dataset, test, said, tmp_path):
    """An ending alone does not make two paths the same image."""
    rows = [(f"validation/{path.partition('/')[2]}", 0.5) for path in dataset.paths[test].tolist()]
    with pytest.raises(DataError, match="rows name no image of the data"):
        predicted.read(written(tmp_path / "p.csv", "path,probability", rows), dataset, test, whole=True)


def test_a_table_of_validation_may_hold_some_of_the_development_images(dataset, test, tmp_path):
    rows = [(path, 0.25) for path in dataset.paths[~test][:5].tolist()]
    read = predicted.read(written(tmp_path / "p.csv", "path,p", rows), dataset, ~test, seed=2, whole=False)
    assert np.isfinite(read[2]).sum() == 5
