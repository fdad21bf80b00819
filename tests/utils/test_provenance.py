import subprocess

import pytest

from pneumobench.utils import provenance


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with a package and a plugin, of which this module says that it is a part."""
    files = [tmp_path / "pneumobench" / "utils" / "provenance.py", tmp_path / "plugins" / "mine.py"]
    for file in (*files, tmp_path / "notes.txt"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    monkeypatch.setattr(provenance, "__file__", str(files[0]))
    return tmp_path


@pytest.mark.parametrize(("edited", "told"), [(None, False), ("notes.txt", False), ("plugins/mine.py", True)])
def test_a_commit_is_marked_where_the_package_or_a_plugin_is_edited(repository, edited, told):
    if edited:
        (repository / edited).write_text("2\n")
    commit = provenance.commit.__wrapped__()
    assert len(commit.removesuffix("+changed")) == 40
    assert commit.endswith("+changed") is told


def test_an_edited_module_of_the_package_marks_it_too(repository):
    (repository / "pneumobench" / "utils" / "new.py").write_text("1\n")
    assert provenance.commit.__wrapped__().endswith("+changed")


def test_source_of_no_repository_has_no_commit(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "a" / "b" / "provenance.py"))
    assert provenance.commit.__wrapped__() == "none"
