"""What a command is told of its images before one is decoded."""

import pytest

from pneumobench.data import locate, prepare
from pneumobench.data.layouts import phantom
from pneumobench.data.options import DataOptions
from pneumobench.utils.progress import Progress


class Told(Progress):
    """Keeps the notes and their kinds."""

    def __init__(self):
        self.notes = []

    def note(self, text, kind="note"):
        self.notes.append((text, kind))


@pytest.fixture
def _no_images(phantom_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(phantom, "ensure", lambda: phantom_folder)


@pytest.mark.usefixtures("_no_images")
def test_the_phantom_in_place_of_images_is_a_note_of_its_own_kind():
    told = Told()
    images = prepare.load(DataOptions(limit=60), told)
    assert [kind for _, kind in told.notes] == ["phantom", "note"]
    assert images.notes == tuple(text for text, _ in told.notes)
    assert images.notes[0] == locate.FALLBACK


@pytest.mark.usefixtures("_no_images")
def test_the_phantom_by_its_name_is_not_noted():
    told = Told()
    assert prepare.load(DataOptions(data="phantom"), told).notes == ()
    assert told.notes == []
