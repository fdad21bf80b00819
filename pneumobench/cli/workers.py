"""Options of the commands that train in several processes."""

from __future__ import annotations

from typing import Annotated

import typer

Count = Annotated[
    int | None, typer.Option(help="Trainings at once. Default: one for each GPU, or 1.", show_default=False)
]
Engine = Annotated[str, typer.Option(help="local, or ray: workers as actors of a Ray cluster.")]
Address = Annotated[
    str | None, typer.Option(help="Address of a Ray cluster. Default: a local one.", show_default=False)
]
