import pytest

from pneumobench.data import tags
from pneumobench.data.layout import Row

pydicom = pytest.importorskip("pydicom")


@pytest.fixture
def write(tmp_path):
    """Writes a header alone; its row."""

    def make(name, columns=None, patient=None, **attributes):
        from pydicom.dataset import FileDataset, FileMetaDataset
        from pydicom.uid import ExplicitVRLittleEndian

        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset = FileDataset(str(tmp_path / name), {}, file_meta=meta, preamble=b"\0" * 128)
        for key, value in attributes.items():
            setattr(dataset, key, value)
        dataset.save_as(tmp_path / name)
        return Row(name, 1, patient=patient, columns=columns or {})

    return make


def test_a_header_fills_what_nothing_else_does(write, tmp_path):
    known = {"PatientName": "Doe^Jane", "PatientAge": "058Y", "PatientSex": "F", "ViewPosition": "AP"}
    first = write("1.dcm", PatientID="p1", Laterality="L", **known)
    second = write("2.dcm", columns={"view": "PA", "age": ""}, patient="known", PatientID="p2", **known)
    third = write("3.dcm", PatientID="3")
    (tmp_path / "4.dcm").write_bytes(b"no header")
    rows = tags.filled(tmp_path, [first, second, third, Row("4.dcm", 0), Row("5.png", 0)])
    assert rows[0].patient == "p1"
    assert rows[0].columns == {"view": "AP", "age": "58", "sex": "F", "laterality": "L"}
    assert rows[1].patient == "known"
    assert rows[1].columns == {"view": "PA", "age": "58", "sex": "F"}
    assert [(row.patient, dict(row.columns)) for row in rows[2:]] == [(None, {})] * 3


def test_a_number_that_all_files_share_names_no_patient(write, tmp_path):
    rows = [write(f"{n}.dcm", PatientID="ANONYMOUS", PatientSex="M") for n in range(3)]
    assert [(row.patient, row.columns["sex"]) for row in tags.filled(tmp_path, rows)] == [(None, "M")] * 3


@pytest.mark.parametrize(
    ("text", "years"), [("058Y", "58"), ("18", "18"), ("006M", "0.5"), ("010D", "0.03"), ("", ""), ("old", "")]
)
def test_ages_are_years(text, years):
    assert tags.years(text) == years
