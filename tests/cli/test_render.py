import io
import json

import pytest
from rich.console import Console

from pneumobench.cli import render


def drawn(part, width):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(part)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def wide(name="transfer_augmented"):
    rows = [(render.stacked(name, "3 seeds"), ".978 ± .001\n[.967, .987]", "a long sentence about it"), None]
    return render.table(("plugin", "AUROC", "what it is"), [*rows, ("x", "-", "")], title="t", whole=("AUROC",))


@pytest.mark.parametrize("width", range(40, 121, 8))
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut(width):
    lines = drawn(wide(), width)
    assert max(map(len, lines)) <= width
    text = "".join("".join(lines).split())
    for part in ("[.967,.987]", ".978±.001"):
        assert part in text
    assert "…" not in text
    assert all(word in "\n".join(lines) for word in ("long", "sentence", "about"))


def test_spare_characters_go_to_the_narrowest_column_and_figures_stay_whole():
    lines = drawn(wide("a" * 60), 50)
    assert any("[.967, .987]" in line for line in lines)
    assert sum(line.count("a") for line in lines if set(line.split()[:1]) and set(line.split()[0]) == {"a"}) >= 60


def test_where_columns_cannot_fit_each_row_becomes_lines():
    lines = drawn(render.table(("name", "first", "second"), [("n", "1" * 20, "2" * 20)], whole=("first", "second")), 40)
    assert lines == ["n", f"  first {'1' * 20}", f"  second {'2' * 20}"]


def test_markup_and_emoji_codes_are_plain_text(capsys):
    render.show(render.table(("[b]heading[/b]",), [("[red]cell[/red] :smile:",)]), "[bold]line[/bold] :warning: [x/]")
    shown = capsys.readouterr().out
    for text in ("[b]heading[/b]", "[red]cell[/red] :smile:", "[bold]line[/bold] :warning: [x/]"):
        assert text in shown


def test_a_line_is_not_wrapped_and_json_is_one_object(capsys):
    render.show("word " * 60)
    assert capsys.readouterr().out == "word " * 60 + "\n"
    render.print_json({"a": [1, None]})
    assert json.loads(capsys.readouterr().out) == {"a": [1, None]}


def test_markdown_has_a_rule_below_its_headings():
    assert render.markdown(("a", "b"), [("1", "2")]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]
