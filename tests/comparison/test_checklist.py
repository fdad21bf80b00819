"""Reporting standards: every item is there under its number, and none is answered that is not tracked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pneumobench.comparison import checklist, facts
from pneumobench.comparison.checklist.answers import ANSWERS
from pneumobench.errors import UsageError
from pneumobench.evaluation.words import figure
from pneumobench.tracking import export

RESULTS = Path(__file__).parents[2] / "results"
TRIPOD = (
    "1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15 16 17 "
    "18a 18b 18c 18d 18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c"
)
# what no run can know: they are for the authors, whatever is tracked
AUTHORS = {
    "claim": {"2", "3", "4", "5", "6", "11", "14", "15", "16", "17", "18", "31", "34", "41", "44"},
    "tripod-ai": {"1", "2", "3a", "3b", "3c", "4", "5b", "6c", "8b", "8c", "17", "18a", "18b", "18c", "18d", "19"}
    | {"20c", "25", "27a", "27b", "27c"},
}


@pytest.mark.parametrize(
    ("standard", "numbers"), [("claim", list(map(str, range(1, 45)))), ("tripod-ai", TRIPOD.split())]
)
def test_the_items_are_numbered_as_in_the_standard_and_their_answers_exist(standard, numbers):
    items = checklist.items(standard)
    assert [one.item for one in items] == numbers
    assert {one.answer for one in items} - {""} <= set(ANSWERS)
    assert {one.item for one in items if not one.answer} == AUTHORS[standard]
    assert all(one.part and one.asks for one in items)


def test_every_answer_is_asked_for():
    asked = {one.answer for standard in checklist.STANDARDS for one in checklist.items(standard)}
    assert set(ANSWERS) - asked == set()


def test_an_unknown_standard_is_one_line():
    with pytest.raises(UsageError, match="no standard named 'clam'; did you mean 'claim'"):
        checklist.items("clam")


@pytest.fixture(scope="module")
def transfer():
    return facts.of(export.read(RESULTS), "transfer")


def answers(known, standard="claim"):
    return {one.item.item: one for one in checklist.answered(known, standard)}


@pytest.mark.slow
def test_figures_are_those_of_the_predictions(transfer):
    found = answers(transfer)
    assert figure(transfer.test["auroc"]) in found["37"].tracked
    assert figure(transfer.test["sensitivity"]) in found["38"].tracked
    assert "234 normal, 390 pneumonia, 427 patients" in found["35"].tracked
    assert "training not tracked" in found["35"].tracked
    assert found["39"].tracked.startswith("Of 624 test images 1 with pneumonia are missed and 95 normal ones")
    assert "subtype viral: AUROC" in answers(transfer, "tripod-ai")["23a"].tracked


@pytest.mark.slow
def test_what_is_not_tracked_is_the_authors(transfer):
    found = answers(transfer)
    for item in ("9", "13", "30", "33", "36"):
        assert found[item].text == "To be written by you."
    for item in ("13", "14", "16", "23b"):
        assert answers(transfer, "tripod-ai")[item].text == "To be written by you."
    closed = replace(transfer, test=None)
    for item in ("37", "38", "39"):
        assert answers(closed)[item].text == "To be written by you."


@pytest.mark.slow
def test_a_leak_is_never_reported_as_disjoint(transfer):
    assert answers(transfer)["20"].tracked.startswith("Patients, by key")
    tags = {"leak": "3 patients in both"}
    leaking = replace(
        transfer.experiment, runs=tuple(replace(r, tags={**r.tags, **tags}) for r in transfer.experiment.runs)
    )
    assert answers(replace(transfer, experiment=leaking))["20"].tracked.startswith("They are NOT: 3 patients in both")


@pytest.mark.slow
def test_what_is_tracked_since_answers_more(transfer):
    tags = {"view": "160 x 160 x 3", "augmentation": "none", "balancing": "pneumobench.authoring.recipe.balanced"}
    runs = tuple(replace(run, tags={**run.tags, **tags}) for run in transfer.experiment.runs)
    known = replace(transfer, experiment=replace(transfer.experiment, runs=runs))
    assert "160 x 160 x 3" in answers(known)["9"].tracked
    assert "pneumobench.authoring.recipe.balanced" in answers(known, "tripod-ai")["13"].tracked
    assert answers(known, "tripod-ai")["9c"].text == "None is: pixels alone enter the model."


@pytest.mark.slow
def test_the_command_counts_what_is_answered(cli, tmp_path):
    words = ("checklist", "thumbnail", "--from", str(RESULTS))
    page = json.loads(cli(*words, "--standard", "tripod-ai", "--json").stdout)
    assert page["title"] == "TRIPOD+AI: thumbnail"
    rows = [row for section in page["sections"][1:] for block in section["blocks"] for row in block["rows"]]
    yours = sum(row[2] == "To be written by you." for row in rows)
    partly = sum("To be written by you:" in row[2] for row in rows)
    (about,) = [block["items"][1] for block in page["sections"][0]["blocks"]]
    whole = len(rows) - yours - partly
    assert f"Of 52 items {whole} are answered from what is tracked, {partly} in part, and {yours} are to be" in about
    done = cli(*words, "--html", str(tmp_path / "list.html"))
    assert done.stdout.startswith("# CLAIM 2024: thumbnail")
    assert (tmp_path / "list.html").read_text().count('class="soft">To be written by you') >= 15
    assert cli(*words, "--standard", "stard").returncode == 2
