"""In a notebook's kernel: the quickstart runs, errors are a line, an interruption ends a run and not the kernel."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

QUICKSTART = Path(__file__).parents[1] / "docs" / "quickstart.ipynb"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*without encryption.*"),
]

CELLS = {
    "typo": "import pneumobench\npneumobench.run('thumbnial')",
    "frames": "import sys\nsys.last_value.__traceback__.tb_next is not None",  # what %debug goes to
    "debug": "import os\nos.environ['PNEUMOBENCH_DEBUG'] = '1'\npneumobench.run('thumbnial')",
    "quiet": "del os.environ['PNEUMOBENCH_DEBUG']",
    "interrupted": """
import signal, threading
from pneumobench.utils.live import NotebookProgress

class Impatient(NotebookProgress):
    def batch(self, epoch, step, loss):
        threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGINT)).start()

import pneumobench.utils.live
kept, pneumobench.utils.live.NotebookProgress = NotebookProgress, Impatient
pneumobench.run("baseline", data=DATA, epochs=50, test=False)""",
    "killed": """
pneumobench.utils.live.NotebookProgress = kept
from pneumobench.tracking.store import Store
store = Store()
[run.info.status for run in store.client.search_runs(["1"])]""",
    "again": "import asyncio\nassert asyncio.get_running_loop().is_running()\n"
    "pneumobench.run('thumbnail', data=DATA, test=False)",
    "study": "pneumobench.study('default', 2, data=DATA, plugins=['thumbnail'], name='small')",
    "backend": "import matplotlib\nmatplotlib.get_backend()",
}


def executed(cells, folder, **environment):
    """The cells as a kernel in the folder leaves them, errors among their outputs."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=240, kernel_name="python3", allow_errors=True, resources=resources)
    client.execute()
    return notebook.cells


@pytest.fixture(scope="module")
def outputs(tmp_path_factory, phantom_folder, new_store):
    folder = tmp_path_factory.mktemp("notebook")
    new_store(folder / "runs")
    first, *others = CELLS.values()
    cells = executed([f"DATA = {str(phantom_folder)!r}\n{first}", *others], folder)
    return {name: cell.outputs for name, cell in zip(CELLS, cells, strict=True)}


def the_error(found):
    (error,) = [one for one in found if one.output_type == "error"]
    return error.traceback


def shown(found):
    return "".join(one.data.get("text/html", "") for one in found if "data" in one)


def test_an_error_is_one_line_and_with_debug_its_frames(outputs):
    (line,) = the_error(outputs["typo"])
    assert line.startswith("UsageError: no plugin named 'thumbnial'; did you mean 'thumbnail'?")
    assert outputs["frames"][0].data["text/plain"] == "True"
    frames = the_error(outputs["debug"])
    assert len(frames) > 5
    assert frames[-1].endswith(line.removeprefix("UsageError: "))


def test_an_interruption_ends_the_run_killed_and_leaves_the_kernel(outputs):
    (line,) = the_error(outputs["interrupted"])
    assert line.startswith("Interrupted: ")
    assert "<b>interrupted</b>: epoch" in shown(outputs["interrupted"])
    (result,) = outputs["killed"]
    assert "KILLED" in result.data["text/plain"]
    assert "RUNNING" not in result.data["text/plain"]
    assert "AUROC" in shown(outputs["again"])


def test_values_are_tables_and_a_short_line(outputs):
    (result,) = [one for one in outputs["again"] if one.output_type == "execute_result"]
    assert re.fullmatch(r"<thumbnail on .*: validation AUROC .*, MLflow run \w+>", result.data["text/plain"])
    assert "<table>" in result.data["text/html"]
    assert "2 complete" in shown(outputs["study"])


def test_libraries_print_and_warn_nothing_and_the_backend_is_the_notebooks(outputs):
    streams = [one.text for found in outputs.values() for one in found if one.output_type == "stream"]
    assert streams == []
    assert "inline" in outputs["backend"][0].data["text/plain"]


def test_the_quickstart_runs_from_its_first_cell_to_its_last(tmp_path, monkeypatch, phantom_folder, new_store):
    notebook = nbformat.read(QUICKSTART, as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert code[0] == "%pip install --quiet pneumobench"
    assert code[1].startswith('DATA = "phantom"')
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not committed"
    monkeypatch.setenv("PNEUMOBENCH_DATA", str(phantom_folder))
    new_store(tmp_path / "runs")
    cells = executed(["DATA = None", *code[2:]], tmp_path)
    assert [one for cell in cells for one in cell.outputs if one.output_type in ("error", "stream")] == []
    answer = next(cell for cell in cells if "compare(" in cell.source)
    assert "mine" in shown(answer.outputs)
    assert "compare" in cells[-1].source or "to_frame" in cells[-1].source
    assert "def weigh(labels)" in (tmp_path / "runs" / "plugins" / "mine.py").read_text()
