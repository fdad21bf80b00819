from dataclasses import replace

import pytest

from pneumobench.authoring import digest as sources
from pneumobench.authoring import registry

BASE = '''"""A base."""

from pneumobench import Recipe


def build(shape, *, width: int = 4):
    """Makes nothing."""
    return width  # a comment


plugin = Recipe(build=build, batch_size=16)
'''
VARIANT = '''"""A variant."""

from dataclasses import replace

from pneumobench import balanced
from {package}{base} import plugin as base

plugin = replace(base, weigh=balanced)
'''


@pytest.fixture
def digest(tmp_path, monkeypatch):
    """The digest of a plugin with this source, each time as a new module."""
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))

    def of(text):
        name = f"sourced_{len(list(tmp_path.iterdir()))}"
        (tmp_path / f"{name}.py").write_text(text)
        return sources.digest(registry.find(name), registry.load(name))

    return of


def test_docstrings_comments_and_formatting_are_ignored(digest):
    changed = BASE.replace("A base.", "Measured: .932.").replace("  # a comment", "").replace("\n\n\n", "\n\n\n\n")
    assert digest(BASE) == digest(changed)


@pytest.mark.parametrize("change", [("width: int = 4", "width: int = 5"), ("batch_size=16", "batch_size=128")])
def test_code_and_values_change_it(digest, change):
    assert digest(BASE) != digest(BASE.replace(*change))


@pytest.mark.parametrize("package", ["pneumobench_folder_plugins.", "."])
def test_a_variant_changes_with_its_base(tmp_path, monkeypatch, package):
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    base, name = f"chain_base_{len(package)}", f"chain_variant_{len(package)}"  # imported once under each name
    (tmp_path / f"{base}.py").write_text(BASE)
    (tmp_path / f"{name}.py").write_text(VARIANT.format(package=package, base=base))
    entry, plugin = registry.find(name), registry.load(name)
    before = sources.digest(entry, plugin)
    (tmp_path / f"{base}.py").write_text(BASE.replace("batch_size=16", "batch_size=128"))
    assert sources.digest(entry, plugin) != before


def test_an_ensemble_changes_with_its_members():
    entry, plugin = registry.find("pair"), registry.load("pair")
    assert sources.digest(entry, plugin) != sources.digest(entry, replace(plugin, members=("tiny",)))
    assert sources.digest(entry, plugin) == sources.digest(entry, plugin)
