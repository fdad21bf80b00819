"""Addresses of databases: an SQLite file's path in one, and one that can be shown without its password."""

from __future__ import annotations

from pathlib import Path

from pneumobench.errors import UsageError
from pneumobench.utils.provenance import redact

SQLITE = "sqlite:///"
SERVERS = ("postgresql", "mysql", "mariadb")  # beginnings of the addresses of database servers
TIMEOUT = 10  # seconds that one may need to answer
PLAIN = {  # what SQLite, PostgreSQL and the system say, in lower case, and what it means
    "database or disk is full": "the disk is full; free some space, and run the same command again",
    "no space left on device": "the disk is full; free some space, and run the same command again",
    "disk quota exceeded": "the disk quota is used up; free some space, and run the same command again",
    "disk i/o error": "the disk cannot be read or written (it may be full or gone)",
    "attempt to write a readonly database": "the file or its folder may not be written",
    "database disk image is malformed": "the file is damaged, or is no database",
    "file is not a database": "the file is damaged, or is no database",
}
SETTINGS = ("timeout", "cache", "mode", "uri", "check_same_thread", "isolation_level", "cached_statements", "nolock")


def sqlite_url(path: Path) -> str:
    """The address of an SQLite file, by its absolute path: `sqlite:////path`, with % and ? escaped.

    Nothing else is escaped, as MLflow takes the address for the path in places, and é would be another folder there.
    """
    return SQLITE + str(path.expanduser().absolute()).replace("%", "%25").replace("?", "%3F")


def sqlite_path(url: str) -> Path | None:
    """The file of an SQLite address; None of any other address. Raises: UsageError for an unknown setting."""
    from sqlalchemy.engine import make_url

    if not url.startswith(SQLITE):
        return None
    parsed = make_url(url)
    for name in parsed.query:
        if name not in SETTINGS:
            raise UsageError(
                f"after ? an SQLite address has settings ({', '.join(SETTINGS)}), not '{name}'; "
                f"a question mark in a path is written %3F: '{url}'"
            )
    return Path(parsed.database or "")


def absolute(url: str) -> str:
    """The address with an SQLite file's path made absolute; any other as it is."""
    path = sqlite_path(url)
    if path is None:
        return url
    _, mark, settings = url.partition("?")
    return sqlite_url(path) + mark + settings


def connect(url: str) -> None:
    """Connect once to a database server, as Optuna and MLflow would try for minutes; nothing for other addresses.

    Raises: what SQLAlchemy raises where the server does not answer within TIMEOUT seconds or refuses.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url
    from sqlalchemy.pool import NullPool

    if not url.startswith(SERVERS):
        return
    named = "connect_timeout" in make_url(url).query
    engine = create_engine(url, poolclass=NullPool, connect_args={} if named else {"connect_timeout": TIMEOUT})
    engine.connect().close()


def plain(error: BaseException) -> str:
    """What a database's error says, in one line: a full disk and a read-only file in words, else its first line."""
    text, cause = redact(str(error)).strip(), error.__cause__ or error.__context__
    for said, words in PLAIN.items():
        if said in f"{text} {cause}".lower():
            return words
    return text.partition("\n")[0]


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
