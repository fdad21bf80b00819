"""The storage of studies: SQLite by default, PostgreSQL for several machines, each with its kind of lock."""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from filelock import FileLock

from pneumobench.errors import PneumobenchError, TrackingError, UsageError
from pneumobench.utils.database import absolute, connect, hide_password, plain, sqlite_path, sqlite_url

VARIABLE = "PNEUMOBENCH_STORAGE"
DEFAULT = Path("runs") / "studies.db"
HEARTBEAT, GRACE = 30, 150  # seconds between heartbeats, and without one until a trial elsewhere is considered dead
PATIENCE = 60  # seconds that SQLite waits for another writer's lock


class Storage:
    """An Optuna storage. `url`: as given, else PNEUMOBENCH_STORAGE, else `runs/studies.db`.

    `stale` is called with (study, trial) for a trial whose heartbeats stopped.
    Raises: TrackingError where it cannot be opened.
    """

    def __init__(self, url: str | None = None, stale: Callable[[Any, Any], None] | None = None):
        self.url = address(url)
        self._path = sqlite_path(self.url)
        with self._reporting_errors():
            import optuna

            optuna.logging.set_verbosity(optuna.logging.ERROR)
            warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
            warnings.filterwarnings("ignore", message="Heartbeat of storage")  # recorded by our thread
            if self._path:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            connect(self.url)
            # only one process may create the tables
            with FileLock(f"{self._path}.lock") if self._path else nullcontext():
                backend = optuna.storages.RDBStorage(
                    self.url,
                    engine_kwargs={"connect_args": {"timeout": PATIENCE}} if self._path else {"pool_pre_ping": True},
                    heartbeat_interval=HEARTBEAT,
                    grace_period=GRACE,
                    heartbeat_stale_trial_callback=stale,
                )
        self._engine, self.optuna = backend.engine, optuna.storages.get_storage(backend)

    @property
    def folder(self) -> Path:
        """The folder for studies' plots: that of an SQLite file, else `runs`."""
        return self._path.parent if self._path else DEFAULT.parent.absolute()

    def names(self) -> list[str]:
        """The names of the stored studies."""
        with self._reporting_errors():
            import optuna

            return sorted(optuna.get_all_study_names(self.optuna))

    @contextmanager
    def lock(self, study: str) -> Iterator[None]:
        """A lock held by one process at a time on all machines that use this storage; released if its holder dies."""
        with ExitStack() as locks:
            with self._reporting_errors():
                if self._path:
                    locks.enter_context(FileLock(f"{self._path}.lock"))
                else:
                    self._lock_server(locks, zlib.crc32(study.encode()))
            yield

    def _lock_server(self, locks: ExitStack, key: int) -> None:
        from sqlalchemy import text

        connection = locks.enter_context(self._engine.connect())
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": key})
        # explicit unlock: returning the connection to the pool does not end the session that holds the lock
        locks.callback(connection.execute, text("select pg_advisory_unlock(:key)"), {"key": key})

    @contextmanager
    def _reporting_errors(self) -> Iterator[None]:
        import sqlalchemy.exc

        try:
            yield
        except PneumobenchError:
            raise
        except (sqlalchemy.exc.SQLAlchemyError, ImportError, OSError, RuntimeError) as error:
            reason = plain(error)
            if isinstance(error, ImportError):
                reason = f'{reason} (pip install "pneumobench[postgres]")'
            raise TrackingError(f"cannot use the studies' storage {hide_password(self.url)}: {reason}") from error


def address(url: str | None) -> str:
    """The storage's URL, with an SQLite file's path made absolute. Raises: UsageError for any other kind."""
    url = url or os.environ.get(VARIABLE) or sqlite_url(DEFAULT)
    if sqlite_path(url):
        return absolute(url)
    if url.startswith("postgresql://"):
        return url.replace("postgresql://", "postgresql+psycopg://", 1)
    if not url.startswith("postgresql+psycopg://"):
        raise UsageError(
            "a storage is sqlite:///FILE.db or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, "
            f"not '{hide_password(url)}'"
        )
    return url


def exists(url: str | None) -> bool:
    """Whether a storage may hold studies: False for an SQLite file that does not exist yet."""
    path = sqlite_path(address(url))
    return path is None or path.exists()
