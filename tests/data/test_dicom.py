"""DICOM as it is meant to be looked at: windows, rescaling, inversion, and what is refused."""

import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import decode, dicom
from pneumobench.errors import DataError

pydicom = pytest.importorskip("pydicom")
RAMP = np.tile(np.arange(0, 4096, 64, dtype=np.uint16), (64, 1))  # 64 x 64, 12 bits, dark to bright


@pytest.fixture
def write(tmp_path):
    """Writes a chest radiograph of 12 bits with these attributes changed; its path."""

    def make(name="image.dcm", pixels=RAMP, **attributes):
        from pydicom.dataset import FileDataset, FileMetaDataset
        from pydicom.uid import ExplicitVRLittleEndian, generate_uid

        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"  # Digital X-Ray Image Storage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset = FileDataset(str(tmp_path / name), {}, file_meta=meta, preamble=b"\0" * 128)
        dataset.Rows, dataset.Columns = pixels.shape[:2]
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
        dataset.PixelData = pixels.tobytes()
        for key, value in attributes.items():
            setattr(dataset, key, value)
        dataset.save_as(tmp_path / name)
        return tmp_path / name

    return make


def seen(path):
    return np.asarray(dicom.read(path)).astype(int)


def test_without_a_window_its_own_values_span_black_to_white(write):
    shown = seen(write())
    assert (shown.min(), shown.max()) == (0, 255)
    assert np.all(np.diff(shown[0]) > 0)


def test_a_window_cuts_what_lies_beyond(write):
    shown = seen(write(WindowCenter=1024, WindowWidth=1024, VOILUTFunction="LINEAR_EXACT"))[0]
    assert shown[RAMP[0] <= 512].max() == 0
    assert shown[RAMP[0] > 1536].min() == 255
    assert shown[16] == pytest.approx(128, abs=1)  # the window's centre


def test_a_rescaled_image_is_windowed_in_its_own_units(write):
    plain = seen(write("plain.dcm", WindowCenter=1024, WindowWidth=1024))
    moved = seen(write("moved.dcm", WindowCenter=24, WindowWidth=1024, RescaleSlope=1, RescaleIntercept=-1000))
    np.testing.assert_array_equal(plain, moved)


def test_of_several_windows_the_first_is_taken(write):
    first = seen(write("first.dcm", WindowCenter=1024, WindowWidth=1024))
    both = seen(write("both.dcm", WindowCenter=[1024, 9], WindowWidth=[1024, 5]))
    np.testing.assert_array_equal(first, both)


def test_monochrome1_is_inverted(write):
    usual = seen(write("usual.dcm"))
    np.testing.assert_array_equal(seen(write("one.dcm", PhotometricInterpretation="MONOCHROME1")), 255 - usual)


def test_a_lookup_table_is_applied(write):
    from pydicom.dataset import Dataset

    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4096, 0, 16], (np.arange(4096) * 8).astype(np.uint16).tobytes()
    assert seen(write(VOILUTSequence=[table])).max() == round(255 * int(RAMP.max()) * 8 / 65535)  # half of 16 bits


def test_a_file_is_known_by_its_suffix_or_its_first_bytes(write, tmp_path):
    assert dicom.is_dicom(write())
    assert dicom.is_dicom(write("IM000001"))
    (tmp_path / "note").write_text("no image")
    assert not dicom.is_dicom(tmp_path / "note")
    assert decode.decode(write("IM000001"), View(8, 8)).shape == (8, 8)


def test_what_is_no_grey_image_is_refused_in_a_few_words(write, tmp_path):
    with pytest.raises(ValueError, match="PALETTE COLOR are not supported"):
        dicom.read(write(PhotometricInterpretation="PALETTE COLOR"))
    (tmp_path / "torn.dcm").write_bytes(b"\0" * 200)
    with pytest.raises(ValueError, match="DICM"):
        dicom.read(tmp_path / "torn.dcm")
    with pytest.raises(ValueError, match=r"."):
        dicom.read(write(PixelData=b"\0\0"))
    with pytest.raises(OSError, match="No such file"):
        decode.decode(tmp_path / "absent.dcm", View(8, 8))


def test_without_the_extra_it_says_what_to_install(write, monkeypatch):
    import sys

    path = write()
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DataError, match=r"pip install 'pneumobench\[dicom\]'"):
        decode.decode(path, View(8, 8))
