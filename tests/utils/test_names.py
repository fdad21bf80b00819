"""Names that people give, as names of files: kept where they fit, else told apart by a hash."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pneumobench.utils.names import file_name


@pytest.mark.parametrize("name", ["default", "ab-lation_2", "Müller 2026", "肺炎", "🫁", "v1.2", "x" * 100])
def test_what_fits_is_kept(name):
    assert file_name(name) == name


ODD = ["../x", "a/b", "..", ".", "", "50%", "what?", "#1", "a\nb", "a\\b", "x" * 260, ".hidden", "a "]


@pytest.mark.parametrize("name", ODD)
def test_what_does_not_fit_is_changed(name):
    assert file_name(name) != name


@given(st.text(max_size=400))
@example("../../etc/passwd")
@example("\x00\n")
@example("🫁" * 100)
@example("\ud800")
def test_it_stays_in_its_folder(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp()
    place = folder / file_name(name)
    assert place.resolve().parent == folder.resolve()
    assert len(place.name.encode()) < 120
    assert not place.name.startswith(".")
    place.mkdir(exist_ok=True)


def test_two_names_are_two_files():
    names = ["a/b", "a\\b", "a_b", "a?b", "x" * 101, "x" * 102]
    assert len({file_name(name) for name in names}) == len(names)
