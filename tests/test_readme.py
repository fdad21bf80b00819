"""The README keeps its word: options are documented, its Python runs, its plugin trains."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer

import pneumobench
from pneumobench.authoring import registry
from pneumobench.cli import app

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


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


@pytest.mark.parametrize(("command", "option"), sorted(set(options())))
def test_every_option_is_documented(command, option):
    assert re.search(rf"`{option}[ `]", README), f"{option} of {command}"


@pytest.mark.parametrize("command", sorted(name for name, found in commands() if name and not found.hidden))
def test_every_command_is_documented(command):
    assert f"`pneumobench {command}" in README


@pytest.mark.slow
def test_the_library_example_runs(tmp_path, monkeypatch, phantom_folder, capsys):
    monkeypatch.chdir(tmp_path)
    code = next(block for block in BLOCKS if "pneumobench.run(" in block)
    exec(code.replace('data="phantom"', f"data={str(phantom_folder)!r}"), {})
    value, low, high = map(float, capsys.readouterr().out.split())
    assert low <= value <= high


@pytest.mark.slow
def test_the_example_plugin_trains_and_says_only_what_differs(tmp_path, monkeypatch, phantom_folder):
    code = next(block for block in BLOCKS if "replace(baseline" in block)
    (tmp_path / "readme_example.py").write_text(code)
    monkeypatch.setenv("PNEUMOBENCH_PLUGINS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert registry.entries()["readme_example"].summary.startswith("The baseline with each class weighted")
    result = pneumobench.run("readme_example", data=phantom_folder, epochs=1, limit=60, test=False)
    assert 0 <= result.validation["auroc"].value <= 1


def test_every_picture_and_file_that_it_links_is_there():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (Path(__file__).parents[1] / target).is_file(), target
    assert "RESULTS-" not in README


@pytest.mark.slow
def test_the_contract_example_runs():
    code = next(block for block in BLOCKS if "contract.check(" in block)
    found = {}
    exec(code.replace('"class_weighted"', '"thumbnail"'), found)
    found["test_my_plugin_keeps_the_contract"]()


@pytest.mark.slow
def test_the_commands_for_a_plugin_of_ones_own_run_in_their_order(cli, phantom_folder):
    (block,) = [block for block in re.findall(r"```\w*\n(.*?)```", README, re.S) if "plugins new" in block]
    for command in block.split("\n")[:-1]:
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
    (block,) = [block for block in re.findall(r"```\w*\n(.*?)```", README, re.S) if "data manifest" in block]
    commands = block.splitlines()
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
