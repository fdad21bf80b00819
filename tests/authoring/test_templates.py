import pytest

from pneumobench.authoring import registry, templates
from pneumobench.errors import UsageError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.delenv("PNEUMOBENCH_PLUGINS")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_plugin_is_listed_immediately(here):
    path = templates.write("fresh_one")
    assert str(path) == "plugins/fresh_one.py"
    entry = registry.entries()["fresh_one"]
    assert entry.path == here / "plugins" / "fresh_one.py"
    assert entry.summary.startswith("Fresh one: ")


@pytest.mark.parametrize("base", [None, "baseline", "class_weighted", "thumbnail", "ensemble"])
def test_it_loads_and_sets_only_what_differs(here, base):
    name = f"new_from_{base}".lower()
    text = templates.write(name, base=base).read_text()
    plugin = registry.load(name)
    assert "from ." not in text, "absolute imports, as the file may be anywhere"
    if base:
        assert type(plugin) is type(registry.load(base))
        assert len(text.splitlines()) < 25


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my-plugin", "a plugin's name is a valid module name, such as my_plugin, not 'my-plugin'"),
        ("class", "not 'class'"),
        ("_hidden", "not '_hidden'"),
        ("baseline", "a plugin named 'baseline' already exists"),
    ],
)
def test_an_invalid_name_is_refused_and_nothing_written(here, name, message):
    with pytest.raises(UsageError, match=message):
        templates.write(name)
    assert list(here.iterdir()) == []


def test_an_unknown_base_and_a_taken_file_are_refused(here):
    with pytest.raises(UsageError, match="did you mean 'baseline'"):
        templates.write("another", base="baselin")
    elsewhere = here / "elsewhere"
    templates.write("another", folder=elsewhere)
    with pytest.raises(UsageError, match=r"elsewhere/another\.py already exists"):
        templates.write("another", folder=elsewhere)
