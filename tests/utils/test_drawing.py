import matplotlib
import pytest

from pneumobench.utils import drawing


def test_a_drawing_takes_the_colours_of_its_page():
    figure, axes = drawing.rows(["first", "second"], "what it is")
    axes.plot([1, 2], [0, 1], color=drawing.MARK)
    html = figure._repr_html_()
    assert 'aria-label="what it is"' in html
    assert "first" in html
    assert f"var(--mark, {drawing.MARK})" in html
    for colour in (drawing.INK, drawing.MARK, drawing.BLACK, drawing.PAGE):
        assert f": {colour}" not in html, "a colour that no page can change"


@pytest.mark.parametrize("before", ["svg", "pdf"])
def test_drawing_into_files_leaves_the_backend(before):
    was = matplotlib.get_backend()
    try:
        matplotlib.use(before)
        with drawing.off_screen():
            assert matplotlib.get_backend().lower() == "agg"
        assert matplotlib.get_backend() == before
    finally:
        matplotlib.use(was)
