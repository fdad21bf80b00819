"""DICOM as it is meant to be looked at: windows, rescaling, inversion, and what is refused."""

import numpy as np
import pytest

from pneumobench.authoring.recipe import View
from pneumobench.data import decode, dicom, listing
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


def test_without_a_window_the_stored_bits_span_black_to_white(write):
    shown = seen(write())[0]
    assert (shown[0], shown[-1]) == (0, round(255 * 4032 / 4095))  # not the frame's own extremes
    assert np.all(np.diff(shown) > 0)


def table(bits, top):
    """A VOI LUT of 4,096 entries that declares so many bits."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, bits])
    item.add_new("LUTData", "OW", np.rint(np.arange(4096) * (top / 4095)).astype("<u2").tobytes())
    return item


def variants():
    """The same picture, in the ways that archives write it: name -> (pixels, attributes)."""
    from pydicom.dataset import Dataset

    full = {"WindowCenter": 2048, "WindowWidth": 4096}
    padded = RAMP.copy()
    padded[:4] = 4095
    signed = (RAMP.astype(np.int32) - 2048).astype(np.int16)
    return {
        "stored bits alone": (RAMP, {}),
        "a window": (RAMP, full),
        "an empty window": (RAMP, {"WindowCenter": None, "WindowWidth": None}),
        "a width without a centre": (RAMP, {"WindowWidth": 4096}),
        "a centre without a width": (RAMP, {"WindowCenter": 2048}),
        "a window of no width": (RAMP, {"WindowCenter": 2048, "WindowWidth": 0}),
        "an empty slope": (RAMP, {"RescaleSlope": None, "RescaleIntercept": None}),
        "a slope without an intercept": (RAMP, {"RescaleSlope": 2}),
        "no photometric interpretation": (RAMP, {"PhotometricInterpretation": None}),
        "a table of 12 bits": (RAMP, {"VOILUTSequence": [table(12, 4095)]}),
        "a table that declares 16 bits and holds 12": (RAMP, {"VOILUTSequence": [table(16, 4095)]}),
        "an empty table beside a window": (RAMP, {"VOILUTSequence": [Dataset()], **full}),
        "16 declared bits that hold 12": (RAMP, {"BitsStored": 16, "HighBit": 15}),
        "an overlay in the unused bits": ((RAMP | 0x8000).astype(np.uint16), {}),
        "bits shifted up": ((RAMP << 4).astype(np.uint16), {"HighBit": 15}),
        "signed values": (signed, {"PixelRepresentation": 1}),
        "signed values, 16 bits declared": (signed, {"PixelRepresentation": 1, "BitsStored": 16, "HighBit": 15}),
        "white is zero": ((4095 - RAMP).astype(np.uint16), {"PhotometricInterpretation": "MONOCHROME1"}),
        "an inverse presentation": ((4095 - RAMP).astype(np.uint16), {"PresentationLUTShape": "INVERSE"}),
        "a slope of zero": (RAMP, {"RescaleSlope": 0, "RescaleIntercept": 0}),
        "no number of samples": (RAMP, {"SamplesPerPixel": None}),
        "several frames": (np.stack([RAMP, RAMP[::-1] // 2]), {"NumberOfFrames": 2, "Rows": 64, "Columns": 64}),
        "non-square pixels": (RAMP, {"PixelAspectRatio": [2, 1]}),
        "a falling slope": ((4095 - RAMP).astype(np.uint16), {"RescaleSlope": -1, "RescaleIntercept": 4095}),
    }


@pytest.mark.parametrize("name", variants())
def test_the_same_picture_is_read_the_same(write, name):
    pixels, attributes = variants()[name]
    assert np.abs(seen(write(pixels=pixels, **attributes)) - seen(write("plain.dcm"))).max() <= 1


@pytest.mark.parametrize("kind", ["RGB", "YBR_FULL"])
def test_colour_becomes_its_luminance(write, kind):
    from pydicom.pixels import convert_color_space

    grey = (RAMP // 16).astype(np.uint8)
    colours = np.stack([grey] * 3, axis=-1)
    pixels = convert_color_space(colours, "RGB", "YBR_FULL") if kind == "YBR_FULL" else colours
    eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "SamplesPerPixel": 3, "PlanarConfiguration": 0}
    path = write(pixels=pixels, PhotometricInterpretation=kind, **eight)
    assert np.abs(np.asarray(decode.read(path, (64, 64)).grey).astype(int) - seen(write("plain.dcm"))).max() <= 2
    red = colours * np.array([1, 0, 0], np.uint8)
    path = write("red.dcm", pixels=red, PhotometricInterpretation="RGB", **eight)
    assert np.asarray(decode.read(path, (64, 64)).grey).max() == pytest.approx(0.299 * 252, abs=1)


@pytest.mark.parametrize("top", [65535, 255])
def test_a_palette_is_applied_whatever_range_its_tables_use(write, top):
    table = np.rint(np.arange(256) * (top / 255)).astype("<u2").tobytes()
    tables = {f"{c}PaletteColorLookupTable{part}": v for c in ("Red", "Green", "Blue")
              for part, v in (("Descriptor", [256, 0, 16]), ("Data", table))}  # fmt: skip
    eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PhotometricInterpretation": "PALETTE COLOR"}
    path = write(pixels=(RAMP // 16).astype(np.uint8), **eight, **tables)
    assert np.abs(np.asarray(decode.read(path, (64, 64)).grey).astype(int) - seen(write("plain.dcm"))).max() <= 1


def test_one_bit_is_black_and_white(write):
    bits = np.packbits((RAMP > 2048).astype(np.uint8), axis=None, bitorder="little")
    one = {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "Rows": 64, "Columns": 64}
    np.testing.assert_array_equal(seen(write(pixels=bits.reshape(1, -1), **one)), (RAMP > 2048) * 255)


@pytest.mark.parametrize("name", ["x.dcm", "x.png", "IM0001", "1.2.840.113619.2.55.3.4"])
@pytest.mark.parametrize("explicit", [True, False])
def test_older_files_without_a_preamble_are_known_by_their_first_element(write, tmp_path, name, explicit):
    expected = seen(write("plain.dcm"))
    dataset = pydicom.dcmread(tmp_path / "plain.dcm")
    del dataset.file_meta
    dataset.preamble = None
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.save_as(tmp_path / name, implicit_vr=not explicit, little_endian=True, enforce_file_format=False)
    assert (tmp_path / name).read_bytes()[:2] == b"\x08\0"
    np.testing.assert_array_equal(seen(tmp_path / name), expected)
    assert name in list(listing.images(tmp_path))


def test_what_decided_the_range_and_how_many_frames_there_are_is_known(write):
    from pneumobench.data.decode import head

    assert head(write()).depth == "12 bits declared"
    assert head(write(BitsStored=16, HighBit=15)).depth == "12 bits by the 99.9th percentile"
    assert head(write(WindowCenter=2048, WindowWidth=4096)).depth == "a window"
    assert head(write(VOILUTSequence=[table(12, 4095)])).depth == "a lookup table"
    assert head(write(pixels=np.stack([RAMP] * 3), NumberOfFrames=3, Rows=64, Columns=64)).frames == 3


def test_a_size_over_the_limit_is_refused_before_it_is_decoded(write, monkeypatch):
    monkeypatch.setattr("pydicom.pixels.pixel_array", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(ValueError, match="60000 x 60000 is over the limit"):
        dicom.read(write(Rows=60000, Columns=60000))


def test_padding_is_black_and_has_no_say_in_the_range(write):
    padded = RAMP.copy()
    padded[:4] = 60000
    shown = seen(write(pixels=padded, BitsStored=16, HighBit=15, PixelPaddingValue=60000))
    assert shown[:4].max() == 0
    assert np.abs(shown[4:] - seen(write("plain.dcm"))[4:]).max() <= 1
    limits = {"PixelPaddingValue": 4000, "PixelPaddingRangeLimit": 4095}
    shown = seen(write(PhotometricInterpretation="MONOCHROME1", **limits))
    assert shown[:, -1].max() == 0  # black, though white is zero here


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
    with pytest.raises(ValueError, match="pixels of kind HSV are not supported"):
        dicom.read(write(PhotometricInterpretation="HSV"))
    with pytest.raises(ValueError, match="no pixels of whole numbers"):
        dicom.read(write(pixels=RAMP.astype(np.float32), PixelData=None, FloatPixelData=RAMP.astype("<f4").tobytes()))
    (tmp_path / "torn.dcm").write_bytes(b"\0" * 200)
    with pytest.raises(ValueError, match="DICM"):
        dicom.read(tmp_path / "torn.dcm")
    with pytest.raises(ValueError, match=r"."):
        dicom.read(write(PixelData=b"\0\0"))
    with pytest.raises(OSError, match="No such file"):
        decode.decode(tmp_path / "absent.dcm", View(8, 8))


def test_without_a_codec_it_says_what_to_install(write, tmp_path):
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGLSLossless

    dataset = pydicom.dcmread(write())
    dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
    dataset.PixelData = encapsulate([b"\xff\xd8\xff\xf7" + bytes(20)])
    dataset["PixelData"].VR = "OB"
    dataset.save_as(tmp_path / "coded.dcm")
    with pytest.raises(ValueError, match=r"coded as JPEG-LS Lossless.*; `pip install 'pylibjpeg\[all\]'` or `pip"):
        dicom.read(tmp_path / "coded.dcm")


def test_without_the_extra_it_says_what_to_install(write, monkeypatch):
    import sys

    path = write()
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DataError, match=r"pip install 'pneumobench\[dicom\]'"):
        decode.decode(path, View(8, 8))
