"""NIH ChestX-ray14: Data_Entry_2017.csv (or Data_Entry_2017_v2020.csv) and folders of PNG images.

An image has one finding or several, divided by |. Pneumonia among them is pneumonia, No Finding alone is normal; all
others are left out. Labels are mined from reports by a program. train_val_list.txt and test_list.txt are the split.

    pneumobench run baseline --data CXR8
"""

from __future__ import annotations

from pathlib import Path

from pneumobench.data import finder, tables
from pneumobench.data.layout import Layout, Listing, Reading, Row
from pneumobench.data.left_out import LeftOut

TABLES = "Data_Entry_2017*.csv"
LISTS = {"train_val_list.txt": "train", "test_list.txt": "test"}
OLDEST = 120  # years; some rows have 148 to 414


def read(path: Path, reading: Reading) -> Listing:
    """The images of the table that are here. Raises: DataError where a column is missing or no image is left."""
    table = next(iter(finder.tables(path, TABLES)), path / "Data_Entry_2017.csv")
    columns = tables.read(table)
    finder.needed(columns, ("Image Index", "Finding Labels", "Patient ID"), table)
    splits = _splits(path)
    images, left_out, rows = finder.by_name(path), LeftOut(), []
    for i, name in enumerate(columns["Image Index"]):
        findings = columns["Finding Labels"][i].split("|")
        if "Pneumonia" not in findings and findings != ["No Finding"]:
            left_out.add("neither Pneumonia nor No Finding", f"{name} ({'|'.join(findings)})")
        elif name not in images:
            left_out.add("no such file", name)
        elif splits and name not in splits:
            left_out.add("in neither list of the split", name)
        else:
            own = {
                "view": finder.cell(columns, "View Position", i),
                "age": _age(finder.cell(columns, "Patient Age", i)),
                "sex": finder.cell(columns, "Patient Gender", i),
                "followup": finder.cell(columns, "Follow-up #", i),
                "findings": "|".join(findings),
            }
            label = int("Pneumonia" in findings)
            rows.append(Row(images[name], label, splits.get(name, ""), columns["Patient ID"][i], "", own))
    finder.used(rows, left_out.lines(), path)
    return Listing(path, sorted(rows, key=lambda row: row.path), left_out.lines())


def _splits(folder: Path) -> dict[str, str]:
    splits: dict[str, str] = {}
    for name, split in LISTS.items():
        if (folder / name).is_file():
            splits |= dict.fromkeys((folder / name).read_text().split(), split)
    return splits if set(splits.values()) == set(LISTS.values()) else {}


def _age(text: str) -> str:
    """Years, of "058Y" (the first release) or "58"; "" where nobody is so old."""
    years = text.rstrip("Y").lstrip("0") or text.rstrip("Y")[-1:]
    return years if years.isdigit() and int(years) <= OLDEST else ""


layout = Layout(
    is_own=lambda path: bool(finder.tables(path, TABLES)),
    read=read,
    citation="Wang et al., ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks, CVPR 2017, 3462-3471",
    licence="unrestricted, with acknowledgement of the NIH Clinical Center and a link to its download site",
    fetch="https://nihcc.app.box.com/v/ChestXray-NIHCC",
)
