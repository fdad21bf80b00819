"""What a run shows: the phantom's note in a frame of its own on a terminal, one line elsewhere."""

import io

from rich.console import Console
from rich.progress import Progress as Bars

from pneumobench.cli.progress import LineProgress, LiveProgress


def shown(display, kind):
    console = Console(file=io.StringIO(), width=60, force_terminal=False)
    display(console).note("the PHANTOM's [images]", kind)
    return console.file.getvalue()


def test_the_kind_of_a_note_decides_its_frame_not_its_words():
    def live(console):
        return LiveProgress(console, Bars(console=console))

    assert shown(live, "note") == "note the PHANTOM's [images]\n"
    framed = shown(live, "phantom")
    assert framed.startswith("╭")
    assert "the PHANTOM's [images]" in framed
    assert shown(LineProgress, "phantom") == shown(LineProgress, "note") == "note: the PHANTOM's [images]\n"
