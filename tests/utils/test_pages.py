import re

from pneumobench.utils import pages
from pneumobench.utils.tables import stacked, styled, table


def body(*parts):
    return pages.html(parts).partition("</style>")[2]


def test_a_table_has_its_title_headings_sections_and_alignment():
    grid = table(("name", "n"), [("a", "1"), None, ("b", "2")], title="counts", right=("n",))
    assert body(grid).strip().removesuffix("</div>").strip() == (
        "<table><caption>counts</caption>"
        '<thead><tr><th>name</th><th class="right">n</th></tr></thead>'
        '<tbody><tr><td>a</td><td class="right">1</td></tr></tbody>'
        '<tbody><tr><td>b</td><td class="right">2</td></tr></tbody></table>'
    )


def test_text_is_text_whatever_it_holds():
    text = body("<script>alert(1)</script> & more", table(("<b>",), [("<i>x</i>",)]))
    assert "<script>" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text
    assert "<th>&lt;b&gt;</th>" in text


def test_bold_and_dim_are_taken_over_and_a_dim_line_is_not_bold():
    grid = table(("plugin",), [(stacked("mine", "3 seeds"),)], styles={"plugin": "bold"})
    assert '<b>mine\n</b><span class="dim">3 seeds</span>' in body(grid)
    assert "<b>whole</b>" in body(styled(("whole", "bold")))


def test_a_command_in_a_sentence_is_code_and_an_item_of_a_list_has_its_mark():
    assert "<p>• see <code>a &lt; b</code></p>" in body("- see `a < b`")
    assert "`a`" in body(table(("x",), [("`a`",)]))


def test_pictures_of_characters_keep_their_spaces():
    assert '<td class="drawn">  ─●─</td>' in body(table(("axis",), [("  ─●─",)], drawn=("axis",)))


def test_no_style_reaches_beyond_the_element_and_no_colour_is_fixed_to_a_theme():
    rules = pages.STYLE.removeprefix("<style>").removesuffix("</style>")
    for selectors in re.findall(r"^([^{}]+?)\s*\{", rules, re.M):
        assert all(one.strip().startswith(pages.OURS) for one in selectors.split(",")), selectors
    assert "prefers-color-scheme" not in rules
    assert "background: #" not in rules
