"""Addresses of databases: an SQLite file's path in one, and one that can be shown without its password."""

from __future__ import annotations

from pathlib import Path

from pneumobench.utils.provenance import redact

SQLITE = "sqlite:///"


def sqlite_url(path: Path) -> str:
    """The address of an SQLite file, by its absolute path: `sqlite:////path`, with odd characters escaped."""
    from sqlalchemy.engine import URL

    return URL.create("sqlite", database=str(path.expanduser().absolute())).render_as_string()


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite address; None of any other address."""
    from sqlalchemy.engine import make_url

    return Path(make_url(url).database or "") if url.startswith(SQLITE) else None


def absolute(url: str) -> str:
    """The address with an SQLite file's path made absolute; any other as it is."""
    from sqlalchemy.engine import make_url

    path = sqlite_path(url)
    if path is None:
        return url
    return make_url(url).set(database=str(path.expanduser().absolute())).render_as_string(hide_password=False)


def hide_password(url: str) -> str:
    """The address with stars for its password, as SQLAlchemy reads it; text that is no address by `redact` alone."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if url.startswith(SQLITE):  # a path, with no password in it
        return url
    try:
        shown = make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):  # no address, or a port that is no number
        shown = url
    return redact(shown)  # SQLAlchemy leaves `?password=`, and what follows an @ inside a password
