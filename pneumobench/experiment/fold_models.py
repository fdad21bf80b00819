"""The models of a cross-validation's folds, kept on disk until all are trained, by one process or by several."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pneumobench.errors import PneumobenchError
from pneumobench.experiment.context import Context
from pneumobench.training import predictor
from pneumobench.training.checkpoint import folder_of
from pneumobench.training.predictor import Predictor
from pneumobench.utils.files import whole_folder

MEASURED = "measured.json"


@dataclass(frozen=True)
class Measured:
    """What a saved model does not know of its training."""

    seconds: float
    images_per_second: float
    parameters: int
    precision: str


@dataclass(frozen=True)
class FoldModels:
    """A folder with a model for each fold of one training that is done, numbered from 1."""

    folder: Path

    def read(self, number: int) -> Predictor | None:
        """The model of a fold; None where it is not trained yet."""
        folder = self.folder / str(number)
        try:
            measured = Measured(**json.loads((folder / MEASURED).read_text()))
            return replace(predictor.load(folder)[0], **asdict(measured))
        except (OSError, ValueError, TypeError, PneumobenchError):
            return None

    def remove(self) -> None:
        """Remove them all, once they are needed no more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, number: int, model: Predictor) -> None:
        """Keep the model of a fold, whole; a disk that does not take it costs the training nothing."""
        with suppress(OSError), whole_folder(self.folder / str(number)) as building:
            model.save(building, threshold=0.5)
            measured = Measured(model.seconds, model.images_per_second, model.parameters, model.precision)
            (building / MEASURED).write_text(json.dumps(asdict(measured)))


def fold_models(context: Context, folder: Path) -> FoldModels | None:
    """Where the models of one training's folds are kept, in a folder of `folder`; None without folds."""
    if not context.images.folds:
        return None
    return FoldModels(folder / folder_of(context.identity()))
