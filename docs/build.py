"""Builds the pages: gathers what is written once elsewhere, makes the reference from the code, and runs Zensical.

    python docs/build.py [--to DIR] [--run]

README.md is the first page; RESULTS.md, CONTRIBUTING.md, CHANGELOG.md and the quickstart's cells become pages, and
commands their reference. `--run` executes the quickstart and shows what its cells give (a minute on two cores).
A link to a page or a heading that is not there ends it.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WRITTEN = ROOT / "docs"
ELSEWHERE = {  # page: the file that it is
    "index.md": "README.md",
    "results.md": "RESULTS.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}
LINK = re.compile(r"(\[[^\]]*\]\()(?!https?:|#)([^)#\s]+)(#[^)]*)?(\))")


def pages(run: bool = False) -> dict[str, str]:
    """Every page's Markdown by its path."""
    made = {path.relative_to(WRITTEN).as_posix(): path.read_text() for path in sorted(WRITTEN.glob("*.md"))}
    made |= {name: (ROOT / file).read_text() for name, file in ELSEWHERE.items()}
    made["library.md"] = made["library.md"].replace("<!-- options -->", options())
    made |= {"quickstart.md": notebook(WRITTEN / "quickstart.ipynb", run), "commands.md": commands()}
    return {name: text if name == "quickstart.md" else piped(linked(text, made)) for name, text in made.items()}


def piped(text: str) -> str:
    """The text with `a\\|b` in tables as GitHub shows it."""
    return re.sub(r"`([^`\n]*\\\|[^`\n]*)`", lambda m: f"<code>{m[1].replace(chr(92) + '|', '&#124;')}</code>", text)


def linked(text: str, made: Mapping[str, str]) -> str:
    """The text with links between the repository's files as links between pages; to other files none is left."""
    names = {file: page for page, file in ELSEWHERE.items()}
    names |= {f"docs/{page}": page for page in made} | {"docs/quickstart.ipynb": "quickstart.md"}
    names |= {"quickstart.ipynb": "quickstart.md"}

    def to(match: re.Match[str]) -> str:
        start, target, heading, end = match.groups()
        target = target.removeprefix("../")
        if target in made or target in names:
            return f"{start}{names.get(target, target)}{heading or ''}{end}"
        if (WRITTEN / Path(target).name).is_file():
            return f"{start}{Path(target).name}{end}"
        return start[1:-2]

    return LINK.sub(to, text)


def notebook(path: Path, run: bool = False) -> str:
    """A notebook as Markdown: texts, code, and with `run` what the cells give."""
    import nbformat

    book = nbformat.read(path, as_version=4)
    if run:
        execute(book)
    parts = [f"*As a notebook to run: [{path.name}]({path.name}).*"]
    for cell in book.cells:
        parts.append(cell.source if cell.cell_type == "markdown" else f"```python\n{cell.source}\n```")
        parts += [output(one) for one in cell.get("outputs", [])]
    first = next(i for i, part in enumerate(parts) if part.startswith("# "))
    parts.insert(0, parts.pop(first))
    return "\n\n".join(parts) + "\n"


def execute(book: Any) -> None:
    """Run a notebook's cells, but for the first one with code, which installs."""
    from nbclient import NotebookClient

    install = next(cell for cell in book.cells if cell.cell_type == "code")
    source, install.source = install.source, ""  # a client skips what is empty
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(book, timeout=600, resources={"metadata": {"path": folder}}).execute()
    install.source = source


def output(one: Any) -> str:
    """An output as HTML within Markdown, without empty lines, which would end it."""
    html = one.get("data", {}).get("text/html", "")
    html = re.sub(r"<style scoped>.*?</style>", "", html, flags=re.S)  # pandas', for notebooks
    html = re.sub(r"\n\s*\n", "\n", html).replace(' border="1"', "")
    return f'<div class="output">\n{html}\n</div>' if html else ""


def commands() -> str:
    """Every command with its options, by Typer's own writer."""
    import typer
    from typer.cli import get_docs_for_click

    from pneumobench.cli import app

    group = typer.main.get_command(app)
    study = group.commands["study"]
    study.commands["search"].hidden = False  # what `pneumobench study NAME` runs
    context = typer.Context(group, info_name="pneumobench")
    text = get_docs_for_click(obj=group, ctx=context, name="pneumobench")
    text = text.replace("pneumobench study search", "pneumobench study [NAME]").replace("&#x27;", "'")
    text = text.replace("&quot;", '"').replace("# `pneumobench`", "# Reference of commands", 1)
    text = re.sub(r"^(##+) `pneumobench (.*)`$", r"\1 \2", text, flags=re.M)
    return re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+\n", "", text)  # cut short there, and whole below


def options() -> str:
    """The fields of the options with their defaults and what they mean, as tables."""
    from dataclasses import fields

    from pneumobench import DataOptions, TrainOptions
    from pneumobench.utils.described import texts

    lines = []
    for kind in (DataOptions, TrainOptions):
        lines += [f"| `{kind.__name__}` | default | |", "| --- | --- | --- |"]
        lines += [f"| `{one.name}` | `{one.default!r}` | {texts(kind)[one.name]} |" for one in fields(kind)]
        lines.append("")
    return "\n".join(lines)


def build(to: Path, run: bool = False) -> int:
    """Write the pages and the site into a folder; Zensical's exit code."""
    shutil.rmtree(to, ignore_errors=True)
    folder = to / "pages"
    folder.mkdir(parents=True)
    for name, text in pages(run).items():
        (folder / name).write_text(text)
    for path in (*WRITTEN.glob("*.png"), *WRITTEN.glob("*.css"), *WRITTEN.glob("*.ipynb")):
        shutil.copy(path, folder)
    shutil.copy(WRITTEN / "zensical.toml", to)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "-f", str(to / "zensical.toml")]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "docs")
    parser.add_argument("--run", action="store_true")
    given = parser.parse_args()
    sys.exit(build(given.to, given.run))
