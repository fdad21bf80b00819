"""A comparison as one HTML file that needs no network, and as a run of the tracking store."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pneumobench.comparison.comparison import Comparison
from pneumobench.comparison.report import bands, coverage, curves, decisions, drawings, hardest, heatmap
from pneumobench.comparison.report.coverage import Coverage
from pneumobench.comparison.report.heatmap import HeatMap
from pneumobench.comparison.report.multiples import Multiples
from pneumobench.comparison.report.svg import themed
from pneumobench.comparison.stress_figures import FLOORS
from pneumobench.data.lockbox import Look
from pneumobench.evaluation import labels, paired, words
from pneumobench.evaluation.predictions import Predictions
from pneumobench.tracking.recorder import recording
from pneumobench.tracking.store import Store
from pneumobench.utils import files, provenance
from pneumobench.utils.hashing import digest_of
from pneumobench.utils.jsonable import to_json
from pneumobench.utils.names import file_name

METRICS = ("auroc", "accuracy_at_0.5", "accuracy", "sensitivity", "specificity", "brier", "ece")


@dataclass(frozen=True)
class Report:
    """What a report shows: a comparison, its hardest images, the looks at these test images, and all in words.

    `explained_by` is the plugin whose Grad-CAM is shown, "" where none is.
    """

    comparison: Comparison
    hard: Sequence[hardest.Hard] = ()
    ledger: Sequence[Look] = ()
    explained_by: str = ""

    @cached_property
    def _weights(self) -> np.ndarray:
        return bands.weights(self._models)

    @cached_property
    def _curves(self) -> dict[str, tuple[str, str]]:
        return curves.draw(self._models, self.comparison.reference, self._weights)

    @cached_property
    def _multiples(self) -> dict[str, Multiples]:
        return decisions.draw(self._models, self.comparison.reference, self._weights)

    @cached_property
    def _coverage(self) -> list[Coverage]:
        return coverage.of(self.comparison, self._models, self._weights)

    @cached_property
    def _heatmaps(self) -> list[HeatMap]:
        return heatmap.of(self.comparison)

    @cached_property
    def _drawings(self) -> dict[str, str]:
        return {"forest": drawings.forest(self.comparison), "seeds": drawings.seeds(self.comparison, self._models)}

    @cached_property
    def _sites(self) -> dict[str, str]:
        return {one.site: drawings.at_sites(self.comparison, one) for one in self.comparison.sites}

    @cached_property
    def _models(self) -> dict[str, list[Predictions]]:
        return {one.name: one.experiment.predictions("test") for one in self.comparison.standings}

    def html(self) -> str:
        """The report as one HTML file."""
        import jinja2

        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
        )
        return environment.get_template("report.html.j2").render(self._content())

    def figures(self) -> dict[str, str]:
        """Each of its figures as an SVG file, by name."""
        sites = {f"at_{file_name(site)}": picture for site, picture in self._sites.items()}
        figures = self._drawings | sites | {name: picture for name, (_, picture) in self._curves.items()}
        figures |= {f"coverage_{file_name(one.place.replace(' ', '_'))}": one.svg for one in self._coverage}
        return figures | {
            f"{name}_{file_name(panel.plugin)}": panel.svg
            for name, section in self._multiples.items()
            for panel in section.panels
        }

    def write(self, path: Path) -> Path:
        """Write the HTML file. Raises: UsageError where it cannot be written; nothing is left half-written."""
        return files.write_text(path, self.html())

    def log(self, store: Store) -> str:
        """Log the report, its figures and the comparison as a run of the dataset's experiment; the run's id."""
        comparison = self.comparison
        experiment = store.experiment(comparison.dataset, comparison.fingerprint, "")
        tags = {
            "kind": "comparison",
            "reference": comparison.reference,
            "metric": comparison.metric,
            "command": provenance.command(),
            "fingerprint": comparison.fingerprint,
            "plugins": ", ".join(one.name for one in comparison.standings),
        }
        with (
            recording(store, experiment, f"comparison with {comparison.reference}", tags) as run,
            tempfile.TemporaryDirectory() as folder,
        ):
            files = Path(folder)
            (files / "report.html").write_text(self.html(), encoding="utf-8")
            (files / "comparison.json").write_text(json.dumps(to_json(comparison), indent=2))
            (files / "figures").mkdir()
            for name, picture in self.figures().items():
                (files / "figures" / f"{name}.svg").write_text(picture, encoding="utf-8")
            run.artifacts(files)
            return run.run_id

    def _content(self) -> dict[str, Any]:
        comparison, models = self.comparison, self._models
        commands = [run.tags["command"] for one in comparison.standings for run in one.experiment.runs]
        return {
            "comparison": comparison,
            "made": provenance.now().replace("T", " ").replace("+00:00", " UTC"),
            "metric": labels.label(comparison.metric),
            "resamples": paired.RESAMPLES,
            **{name: themed(picture) for name, picture in self._drawings.items()},
            "sites": {site: themed(picture) for site, picture in self._sites.items()},
            "labels": {name: labels.label(name, full=True) for name in METRICS},
            "words": words,
            "label": labels.label,
            "curves": self._curves,
            "multiples": self._multiples.values(),
            "coverage": self._coverage,
            "aim": coverage.AIM,
            "heatmaps": self._heatmaps,
            "floors": FLOORS,
            "themed": themed,
            "matrices": _matrices(models),
            "hardest": self.hard,
            "explained_by": self.explained_by,
            "ledger": self.ledger,
            "ill": float(next(iter(models.values()))[0].label.mean()),
            "commands": list(dict.fromkeys([provenance.command(), *commands])),
        }


def of(comparison: Comparison, store: Store, data: str | Path | None = None) -> Report:
    """The report of a comparison: with the ledger of a store, and pictures where its models and the images are."""
    models = {one.name: one.experiment.predictions("test") for one in comparison.standings}
    images = digest_of(next(iter(models.values()))[0].hash, 8)
    hard, explained_by = hardest.pictured(hardest.rank(models), comparison, store, data)
    looks = [look for look in store.ledger.looks() if look.images == images]
    return Report(comparison, hard, looks, explained_by)


def _matrices(models: dict[str, list[Predictions]]) -> list[tuple[str, str, list[int]]]:
    """Of each plugin's first seed the four counts at its threshold, and those at 0.5."""
    matrices = []
    for name, (first, *_) in models.items():
        for at, positive in (
            (f"at {first.operating.threshold:.2f}", first.predicted),
            ("at 0.5", first.probability >= 0.5),
        ):
            cells = [
                int(((first.label == truth) & (positive == answer)).sum()) for truth in (0, 1) for answer in (0, 1)
            ]
            matrices.append((name, at, cells))
    return matrices
