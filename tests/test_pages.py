"""The pages as a site: gathered from the repository, made from the code, and without a broken link."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
import typer

from pneumobench.cli import app

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build_pages", ROOT / "docs" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(build):
    return build.pages()


def test_every_page_is_in_the_navigation_and_no_other(pages):
    nav = tomllib.loads((ROOT / "docs" / "zensical.toml").read_text())["project"]["nav"]
    named = [page for part in nav for titles in part.values() for title in titles for page in title.values()]
    assert sorted(named) == sorted(pages)


def test_every_command_and_option_is_in_the_reference_whose_text_is_whole(pages):
    text = pages["commands.md"]
    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        assert f"\n## {name}\n" in text
        section = text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--"):
                    assert f"`{option}" in section, (name, option)
    assert "--trials" in text.partition("## study\n")[2].partition("\n## ")[0]
    assert "...\n" not in re.sub(r"```.*?```", "", text, flags=re.S), "a sentence that was cut short"


def test_links_between_files_are_links_between_pages(build):
    made = {"compare.md": "", "results.md": "", "quickstart.md": ""}
    text = "[a](docs/compare.md#how), [b](RESULTS.md), [c](pneumobench/errors.py), [d](https://x.org/a.md)"
    assert build.linked(text, made) == "[a](compare.md#how), [b](results.md), c, [d](https://x.org/a.md)"
    assert build.linked("![e](docs/forest.png)", made) == "![e](forest.png)"
    assert build.linked("[q](docs/quickstart.ipynb)", made) == "[q](quickstart.md)"


def test_the_notebook_s_cells_are_the_quickstart(pages):
    text = pages["quickstart.md"]
    assert text.startswith("# Quickstart\n")
    assert "```python\nimport pneumobench\n" in text
    assert "(quickstart.ipynb)" in text


@pytest.mark.slow
def test_the_site_is_built_strictly_and_asks_no_other_server(build, tmp_path, capfd):
    assert build.build(tmp_path) == 0, capfd.readouterr()
    site = tmp_path / "site"
    for page in build.pages():
        html = (site / page).with_suffix(".html").read_text()
        loaded = re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="(https?://[^"]+)"', html)
        assert loaded == [], page
    library = (site / "library.html").read_text()
    for name in ("run", "compare", "study", "external", "stress", "plan", "Recipe"):
        assert f"pneumobench.{name}" in library
    assert "checkpoint_every" in library


@pytest.mark.slow
def test_a_link_to_nothing_ends_the_build(build, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "pages", lambda run: {"index.md": "# a\n\n[b](#nowhere)\n"})
    assert build.build(tmp_path) != 0
