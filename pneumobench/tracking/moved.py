"""A local store whose folder was renamed or copied: MLflow keeps absolute addresses, which are made to follow it."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

log = logging.getLogger("pneumobench")

EXPERIMENTS = "select distinct artifact_location from experiments where name like ?"
ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def follow(database: Path, artifacts: Path, prefix: str) -> None:
    """Rewrite addresses of artifacts that lie in another folder than `artifacts`, beside the store's SQLite file.

    `prefix` is that of our experiments' names. An address whose folder is still there stays where nothing lies beside
    the store: then the database was copied alone.
    """
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        named = [uri for (uri,) in connection.execute(EXPERIMENTS, [f"{prefix}%"])]
        former = {uri: path for uri in named if (path := _path(uri)) is not None and _has_moved(path, artifacts)}
        for uri in former:
            for table, column in ADDRESSES:
                connection.execute(
                    f"update {table} set {column} = ? || substr({column}, ?) where substr({column}, 1, ?) = ?",
                    [artifacts.as_uri(), len(uri) + 1, len(uri), uri],
                )
    for path in former.values():
        log.warning("pneumobench: the files of this store were in %s; they are now found in %s", path, artifacts)


def _has_moved(path: Path, artifacts: Path) -> bool:
    if path.exists():
        return artifacts.exists() and not path.samefile(artifacts)
    return path != artifacts


def _path(uri: str) -> Path | None:
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None
