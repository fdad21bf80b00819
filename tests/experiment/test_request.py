"""What a command's plugins and knobs ask for."""

import pytest

from pneumobench.errors import UsageError
from pneumobench.experiment.request import Request, requested


def test_knobs_are_of_the_only_plugin_or_of_a_named_one():
    assert requested(["tiny"], {"width": "6"}) == [Request("tiny", {"width": "6"})]
    assert requested(["tiny"], {"tiny.width": "6"}) == [Request("tiny", {"width": "6"})]
    assert requested(["pair"], {"tiny.width": "6"}) == [Request("pair", {"tiny.width": "6"})]
    several = requested(["tiny", "pair"], {"tiny.width": "6", "pair.tiny.width": "7"})
    assert several == [Request("tiny", {"width": "6"}), Request("pair", {"tiny.width": "7"})]


def test_all_plugins_and_those_of_a_study():
    assert {"tiny", "baseline", "thumbnail"} <= {one.plugin for one in requested([], {}, everything=True)}
    of_study = requested([], {"knobby.width": "6"}, study="quick")
    assert {one.plugin for one in of_study} == {"knobby"}
    assert all(one.study == "quick" for one in of_study)
    assert requested([], {}, study="studies/quick.py") == requested([], {}, study="quick")
    assert all(one.load()[1] for one in of_study)


@pytest.mark.parametrize(
    ("plugins", "assigned", "options", "message"),
    [
        ([], {}, {}, "run takes plugins by name, --all, or --plugins-from STUDY"),
        (["tiny"], {}, {"everything": True}, "one of the three"),
        (["tiny", "tiny"], {}, {}, "'tiny' is named 2 times; --seeds trains a plugin repeatedly"),
        (["tiny", "pair"], {"width": "6"}, {}, "--set takes PLUGIN.KNOB=VALUE with one of tiny, pair, not 'width'"),
    ],
)
def test_what_cannot_be_meant_is_refused(plugins, assigned, options, message):
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        requested(plugins, assigned, **options)
