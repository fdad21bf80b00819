"""What a verb returns, as people look at it: a short line, tables in a terminal or a notebook, a data frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pneumobench.utils import pages
from pneumobench.utils.tables import Part

if TYPE_CHECKING:
    import pandas as pd


class Shown:
    """A value with tables and sentences; classes say `headline`, `parts` and `records`, and draw in `plot`."""

    def headline(self) -> str:
        """What it is, in a short line."""
        raise NotImplementedError

    def parts(self) -> list[Part]:
        """Its tables and sentences in their order, as commands print them."""
        raise NotImplementedError

    def records(self) -> Iterable[Mapping[str, Any]]:
        """Its figures, a row each, by column."""
        raise NotImplementedError

    def to_frame(self) -> pd.DataFrame:
        """Its figures as a data frame of pandas."""
        import pandas as pd

        return pd.DataFrame.from_records(list(self.records()))

    def __repr__(self) -> str:
        return f"<{self.headline()}>"

    def _repr_html_(self) -> str:
        return pages.html(self.parts())
