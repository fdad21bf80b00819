"""COVID-19 Radiography Database (Qatar, Dhaka): CLASS/images, with masks beside them, or CLASS alone in older releases.

Viral Pneumonia is pneumonia, Normal is normal; COVID and Lung_Opacity are left out unless `--positive COVID` names
them. The images were gathered elsewhere: Viral Pneumonia and 1,341 of Normal are Kermany's, Lung_Opacity and the other
Normal are RSNA's, so that the source alone tells the classes apart.

    pneumobench run baseline --data COVID-19_Radiography_Dataset
"""

from __future__ import annotations

from pathlib import Path

from pneumobench.data import finder
from pneumobench.data.layout import Layout, Listing, Reading, Row
from pneumobench.data.left_out import LeftOut
from pneumobench.errors import DataError

POSITIVE, NEGATIVE = ("Viral Pneumonia",), ("Normal",)
OTHERS = ("COVID", "Lung_Opacity", "Lung Opacity")
SUBTYPES = {"viral pneumonia": "viral", "covid": "viral"}


def read(path: Path, reading: Reading) -> Listing:
    """The images of both classes; masks are none. Raises: DataError where a folder of a class is missing."""
    left_out, rows = LeftOut(), []
    names = [
        name for name in finder.folders(path) if name.lower() in {n.lower() for n in (*POSITIVE, *NEGATIVE, *OTHERS)}
    ]
    wanted = ((0, reading.negative or NEGATIVE), (1, reading.positive or POSITIVE))
    labels = {folder.lower(): label for label, folders in wanted for folder in folders}
    for folder in sorted(set(labels) - {name.lower() for name in names}):
        raise DataError(f"{path} has no class folder '{folder}'; it has {', '.join(names)}")
    for name in names:
        inside = f"{name}/images" if (path / name / "images").is_dir() else name
        for image in finder.by_path(path, inside):
            if name.lower() not in labels:
                left_out.add(f"class {name}", image)
            else:
                label = labels[name.lower()]
                rows.append(Row(image, label, "", None, SUBTYPES.get(name.lower(), "") if label else ""))
    finder.used(rows, left_out.lines(), path)
    return Listing(path, sorted(rows, key=lambda row: row.path), left_out.lines())


def is_own(path: Path) -> bool:
    """Whether a folder holds Normal and Viral Pneumonia as they are spelled here."""
    return {"Normal", "Viral Pneumonia"} <= {*finder.folders(path)}


layout = Layout(
    is_own=is_own,
    read=read,
    citation="Chowdhury et al., Can AI Help in Screening Viral and COVID-19 Pneumonia?, IEEE Access 8, 2020; Rahman et "
    "al., Computers in Biology and Medicine 132, 2021",
    licence="that of its sources; academic research",
    fetch="https://www.kaggle.com/datasets/tawsifurrahman/covid19-radiography-database",
    takes=("positive", "negative"),
)
