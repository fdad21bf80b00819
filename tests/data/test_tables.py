import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pneumobench.data import tables
from pneumobench.errors import DataError

ROWS = {"path": ["a.png", "b, c.png"], "Label": ["1", ""]}


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("plain.csv", b'path,Label\na.png,1\n"b, c.png",\n'),
        ("windows.csv", b'\xef\xbb\xbfpath,Label\r\na.png, 1\r\n\r\n"b, c.png",""\r\n'),
        ("german.csv", b"path;Label\na.png;1\nb, c.png;\n"),
        ("tabs.tsv", b"path\tLabel\na.png\t1\nb, c.png\t\n"),
        ("excel.csv", "path\tLabel\na.png\t1\nb, c.png\t\n".encode("utf-16")),
        ("short.csv", b'path,Label\na.png,1\n"b, c.png"\n'),
        ("trailing.csv", b'path,Label,\na.png,1,\n"b, c.png",,\n'),
    ],
)
def test_a_table_is_read_however_it_was_written(tmp_path, name, raw):
    (tmp_path / name).write_bytes(raw)
    assert tables.read(tmp_path / name) == ROWS
    assert [name for name in tables.header(tmp_path / name) if name] == list(ROWS)


def test_parquet_keeps_its_values_as_text(tmp_path):
    table = pa.table({"path": ["a.png", "b.png"], "label": [1, None], "age": [1.5, 2.0], "ok": [True, False]})
    pq.write_table(table, tmp_path / "some.parquet")
    read = tables.read(tmp_path / "some.parquet")
    assert read == {"path": ["a.png", "b.png"], "label": ["1", ""], "age": ["1.5", "2.0"], "ok": ["True", "False"]}


def test_letters_of_windows_are_read(tmp_path):
    (tmp_path / "old.csv").write_bytes("path,label\nmüller.png,1\n".encode("cp1252"))
    assert tables.read(tmp_path / "old.csv")["path"] == ["müller.png"]


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("empty.csv", b"", "has no row"),
        ("header.csv", b"path,label\n", "has no row below its header"),
        ("long.csv", b"path,label\nb, c.png,1\n", "line 2 of .* has 3 cells, its header 2: quote the commas"),
        ("image.csv", b"\x89PNG\0\0", "is not a table"),
        ("torn.parquet", b"PAR1", "is not Parquet"),
    ],
)
def test_what_is_no_table_gets_one_line(tmp_path, name, raw, message):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(DataError, match=message) as caught:
        tables.read(tmp_path / name)
    assert "\n" not in str(caught.value)
