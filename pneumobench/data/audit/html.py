"""The findings as one HTML file with pictures, which needs no network."""

from __future__ import annotations

from pathlib import Path

from pneumobench.data import decode
from pneumobench.data.audit import Audit
from pneumobench.data.dataset import Dataset
from pneumobench.data.findings import Finding
from pneumobench.utils import files, provenance

SIDE = 160  # pixels of a picture's longer side
RANKS = {"leak": "worst", "near leak": "worst", "label conflict": "worst", "shift": "bad", "shortcut": "bad"}


def write(audit: Audit, dataset: Dataset, path: Path) -> Path:
    """Write the page; pictures are of images that the audit decoded. Raises: UsageError where it cannot be written."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    shown = [(one, RANKS.get(one.kind, ""), _pictures(one, audit, dataset)) for one in audit.findings]
    text = environment.get_template("page.html.j2").render(
        audit=audit,
        shown=shown,
        made=provenance.now().replace("T", " ").replace("+00:00", " UTC"),
        command=provenance.command(),
    )
    return files.write_text(path, text)


def _pictures(finding: Finding, audit: Audit, dataset: Dataset) -> list[list[tuple[str, str]]]:
    """For each example its images: path and picture, "" if there is none to show."""
    closed = set() if audit.includes_test else set(dataset.paths[dataset.origins == "test"].tolist())
    return [[(name, "" if name in closed else _picture(name, dataset)) for name in g[:4]] for g in finding.examples]


def _picture(name: str, dataset: Dataset) -> str:
    try:
        return decode.uri(decode.thumbnail(dataset.root / name, SIDE))
    except (ValueError, OSError):
        return ""
