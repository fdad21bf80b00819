"""README and pages keep their word: options are documented, commands parse, their Python runs, their plugin trains."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer

import pneumobench
from pneumobench.authoring import registry
from pneumobench.cli import app

ROOT = Path(__file__).parents[1]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "README.md", *ROOT.glob("docs/*.md"))}
TEXT = "\n".join(PAGES.values())
FENCED = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.S | re.M)
BLOCKS = [block for language, block in FENCED if language == "python"]
SHELL = [block for language, block in FENCED if language != "python"]
LINES = sorted({line for block in SHELL for line in block.splitlines() if line.startswith("pneumobench ")})


def commands(root=None, name=""):
    """Every command and group, by what is typed after `pneumobench`."""
    root = root or typer.main.get_command(app)
    yield name, root
    for own, command in getattr(root, "commands", {}).items():
        yield from commands(command, f"{name} {own}".strip())


def options():
    for command, found in commands():
        for parameter in found.params:
            for name in (*parameter.opts, *parameter.secondary_opts):
                if name.startswith("--") and name != "--help":
                    yield command, name


def containing(text, blocks=BLOCKS):
    return next(block for block in blocks if text in block)


@pytest.mark.parametrize(("command", "option"), sorted(set(options())))
def test_every_option_is_documented(command, option):
    assert re.search(rf"`{option}[ `]", TEXT), f"{option} of {command}"


@pytest.mark.parametrize("command", sorted(name for name, found in commands() if name and not found.hidden))
def test_every_command_is_documented(command):
    assert f"`pneumobench {command}" in TEXT


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_a_page_is_one(line):
    """Its name and options are known, and its values are of their types; nothing is run."""
    command, name, words = typer.main.get_command(app), "pneumobench", shlex.split(line, comments=True)[1:]
    context = command.make_context(name, words)
    while rest := [*getattr(context, "_protected_args", ()), *context.args]:
        name, command, words = context.command.resolve_command(context, rest)
        context = command.make_context(name, words, parent=context)
    assert len(context.command_path.split()) > 1


def test_readme_is_a_page():
    assert len(PAGES["README.md"].splitlines()) <= 100


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_and_file_that_it_links_is_there(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)", PAGES[page]):
        assert ((ROOT / page).parent / target).is_file(), target


@pytest.mark.parametrize("page", PAGES)
def test_tables_have_as_many_cells_in_each_row(page):
    for table in re.findall(r"(?:^\|.*\|\n)+", PAGES[page], re.M):
        counts = {len(re.split(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(counts) == 1, table.splitlines()[0]


@pytest.mark.slow
def test_the_library_example_runs(tmp_path, monkeypatch, phantom_folder, capsys):
    monkeypatch.chdir(tmp_path)
    code = containing("TrainOptions(")
    exec(code.replace('data="phantom"', f"data={str(phantom_folder)!r}"), {})
    value, low, high = map(float, capsys.readouterr().out.split())
    assert low <= value <= high


@pytest.mark.slow
def test_the_example_plugin_trains_and_says_only_what_differs(tmp_path, monkeypatch, phantom_folder):
    code = containing("replace(baseline")
    (tmp_path / "readme_example.py").write_text(code)
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert registry.entries()["readme_example"].summary.startswith("The baseline with each class weighted")
    result = pneumobench.run("readme_example", data=phantom_folder, epochs=1, limit=60, test=False)
    assert 0 <= result.validation["auroc"].value <= 1


@pytest.mark.slow
def test_the_model_in_a_cell_trains_and_is_compared(tmp_path, monkeypatch, phantom_folder, new_store):
    from pneumobench.authoring import replaced

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(replaced, "FILES", {})
    new_store(tmp_path / "runs")
    code = containing('name="mine"').replace('data="phantom"', f"data={str(phantom_folder)!r}")
    *lines, last = code.strip().splitlines()
    found = {}
    exec("\n".join([*lines, f"answer = {last}"]), found)
    assert [one.name for one in found["answer"].standings] != []
    assert (tmp_path / "runs" / "plugins" / "mine.py").is_file()


@pytest.mark.slow
def test_the_contract_example_runs():
    code = containing("contract.check(")
    found = {}
    exec(code.replace('"class_weighted"', '"thumbnail"'), found)
    found["test_my_plugin_keeps_the_contract"]()


@pytest.mark.slow
def test_the_commands_for_a_plugin_of_ones_own_run_in_their_order(cli, phantom_folder):
    for command in containing("plugins new", SHELL).split("\n")[:-1]:
        words = command.split()[1:]
        quick = ["--data", str(phantom_folder), "--epochs", "1", "--limit", "60"] if words[0] == "run" else []
        done = cli(*words, *quick, PNEUMOBENCH_PLUGINS="")
        assert done.returncode == 0, (command, done.stderr)


def hospital(folder, classes, source, first):
    """Two images of each of ten patients in two folders with these names."""
    for name, own in zip(classes, ("NORMAL", "PNEUMONIA"), strict=True):
        (folder / name).mkdir(parents=True)
        for n, path in enumerate(sorted(source.glob(f"train/{own}/*"))[first : first + 20]):
            shutil.copy(path, folder / name / f"{name[0]}_p{n // 2}_{n % 2}.jpeg")


@pytest.mark.slow
def test_your_own_images_are_read_by_ten_lines(cli, tmp_path, monkeypatch, phantom_folder):
    commands = containing("data manifest", SHELL).splitlines()
    assert len(commands) == 10
    monkeypatch.chdir(tmp_path)
    hospital(tmp_path / "XRAYS", ("healthy", "sick"), phantom_folder, 0)
    hospital(tmp_path / "other_hospital", ("NORMAL", "PNEUMONIA"), phantom_folder, 20)
    rows = [f"{path.relative_to('XRAYS')},{path.parent.name == 'sick':d}" for path in Path("XRAYS").rglob("*.jpeg")]
    Path("table.csv").write_text("\n".join(["Image Index,Finding Labels", *rows]))
    for command in commands:
        words = shlex.split(command.replace("baseline", "thumbnail"))[1:]
        done = cli(*words)
        assert done.returncode == 0, (command, done.stderr)
