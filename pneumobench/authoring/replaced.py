"""Files that stand in for modules of plugins, such as a run's tracked source where the plugin has changed since."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

FILES: dict[str, Path] = {}  # module -> the file that stands in for it now


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        file = FILES.get(fullname)
        return importlib.util.spec_from_file_location(fullname, file) if file else None


FINDER = _Finder()


def keep(module: str, file: Path) -> None:
    """Import a module from this file, in this process, from now on."""
    FILES[module] = file
    if FINDER not in sys.meta_path:
        sys.meta_path.insert(0, FINDER)


@contextmanager
def in_place_of(files: Mapping[str, Path]) -> Iterator[None]:
    """While the block runs, these modules (name -> file) are imported from these files, in this process alone."""
    finder, kept = _Finder(), dict(FILES)
    before = {name: sys.modules.pop(name) for name in files if name in sys.modules}
    FILES.update(files)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in files:
            FILES.pop(name, None)
            FILES.update({name: kept[name]} if name in kept else {})
            sys.modules.pop(name, None)
        sys.modules.update(before)
