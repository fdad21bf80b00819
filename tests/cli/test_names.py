"""Names and folders that people have, through the command line."""

import json

import pytest

pytestmark = pytest.mark.slow
NAMES = ["../../away", "a/b", "50% of #1?", "x" * 260, "two\nlines 🫁", "o'brien"]


@pytest.mark.parametrize("name", NAMES)
def test_a_studys_name_does_not_leave_its_folder(name, tmp_path, monkeypatch):
    from pneumobench.search.run import _logs

    monkeypatch.chdir(tmp_path)
    assert _logs(name).resolve().parent == tmp_path / "runs" / "studies"
    assert "\n" not in str(_logs(name))


def test_a_study_of_an_odd_name_is_made_shown_and_kept_inside(cli, phantom_folder, tmp_path):
    (tmp_path / "inner").mkdir()
    done = cli("study", "quick", "--as", "../../o'brien 50%?#", "--trials", "1", "--data", str(phantom_folder))
    assert done.returncode == 0, done.stderr
    assert "o'brien" in cli("study", "list").stdout
    assert cli("study", "show", "../../o'brien 50%?#").returncode == 0
    (folder,) = (tmp_path / "runs" / "studies").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["summary", "worker-1.log"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inner", "runs"]


def test_a_folder_with_any_letters_works_to_the_end(pneumobench, phantom_folder, tmp_path):
    place = tmp_path / "a %41?x=1#y é & 'q"
    place.mkdir()

    def run(*arguments):
        done = pneumobench(*arguments, cwd=place)
        assert done.returncode == 0, done.stderr
        return done

    run("run", "thumbnail", "--data", str(phantom_folder))
    run("run", "thumbnail", "--data", str(phantom_folder), "--set", "C=0.1")
    ids = [row["run_ids"][0] for row in json.loads(run("runs", "--json").stdout)["experiments"]]
    run("champion", ids[0])
    images = json.loads(run("predict", str(phantom_folder / "test" / "NORMAL"), "--json").stdout)["images"]
    assert all(image["probability"] is not None for image in images)
    assert run("export", *ids, "--to", "res?ults #1 50%").stdout.startswith("res?ults #1 50%/thumbnail-0-")
    assert len(json.loads(run("runs", "--from", "res?ults #1 50%", "--json").stdout)["experiments"]) == 2
    run("compare", *ids, "--against", ids[0], "--html", "out %2F?#/re port.html")
    assert (place / "out %2F?#" / "re port.html").exists()
    long = "x" * 250 + ".html"
    run("compare", *ids, "--against", ids[0], "--html", long)
    assert (place / long).exists()
    assert [path.name for path in tmp_path.iterdir()] == [place.name], "nothing beside it"
    assert not list(place.glob(".*"))
