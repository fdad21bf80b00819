"""Addresses of databases: paths there and back, no password shown, and no long wait for a server."""

import socket
import time

import pytest
import sqlalchemy
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from pneumobench.errors import TrackingError, UsageError
from pneumobench.search.storage import Storage
from pneumobench.tracking.store import Store
from pneumobench.utils import database
from pneumobench.utils.database import absolute, hide_password, sqlite_path, sqlite_url


@pytest.mark.parametrize("name", ["a.db", "with space.db", "half?x=1.db", "50%25.db", "é#.db"])
def test_sqlalchemy_opens_the_very_file(name, tmp_path):
    url = sqlite_url(tmp_path / name)
    assert url.startswith("sqlite:////")
    assert absolute(url) == url
    assert sqlite_path(url) == tmp_path / name
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("create table t (x int)"))
    engine.dispose()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_unknown_setting_is_a_question_mark_of_a_path():
    with pytest.raises(UsageError, match="not 'x'; a question mark in a path is written %3F"):
        sqlite_path("sqlite:////a/what?x=1.db")


def test_letters_of_any_language_stand_in_the_address(tmp_path):
    assert sqlite_url(tmp_path / "Müller #1.db") == f"sqlite:///{tmp_path}/Müller #1.db"


def test_a_relative_path_is_made_absolute_and_settings_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute("sqlite:///here.db?timeout=3") == f"sqlite:///{tmp_path}/here.db?timeout=3"
    assert sqlite_path("sqlite:///here.db?timeout=3").name == "here.db"


@pytest.mark.parametrize("url", ["https://host:5000", "postgresql+psycopg://u:p@h/d", "nonsense"])
def test_other_addresses_have_no_file_and_stay_as_they_are(url):
    assert sqlite_path(url) is None
    assert absolute(url) == url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:secret@host/d", "postgresql://user:***@host/d"),
        ("postgresql://user:sec ret@host/d", "postgresql://user:***@host/d"),
        ("postgresql://user:secr@et@host/d", "postgresql://user:***@host/d"),
        ("postgresql://host/d?password=secret&user=u", "postgresql://host/d?password=***&user=u"),
        ("https://user:secret@host:5000", "https://user:***@host:5000"),
        ("https://user:secret@host:port", "https://user:***@host:port"),
        ("sqlite:////a/b?c.db", "sqlite:////a/b?c.db"),
        ("runs", "runs"),
    ],
)
def test_a_password_is_hidden(url, shown):
    assert hide_password(url) == shown


def test_a_server_that_does_not_answer_is_told_soon(monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setattr(database, "TIMEOUT", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(OperationalError):
            database.connect(f"postgresql+psycopg://me@127.0.0.1:{silent.getsockname()[1]}/db")
        assert time.monotonic() - began < 10


def test_files_and_tracking_servers_are_not_asked():
    database.connect("sqlite:////nowhere/x.db")
    database.connect("http://127.0.0.1:1")


@pytest.fixture
def full():
    """Every SQLite database that is opened from now on can grow no more, as on a full disk."""

    def connected(connection, record):
        pages = connection.execute("pragma page_count").fetchone()[0]
        connection.execute(f"pragma max_page_count = {max(pages, 1)}")

    sqlalchemy.event.listen(sqlalchemy.Engine, "connect", connected)
    yield
    sqlalchemy.event.remove(sqlalchemy.Engine, "connect", connected)


@pytest.mark.slow
def test_a_full_disk_under_the_tracking_store_is_said_in_words(new_store, tmp_path, full):
    store = Store(new_store(tmp_path))

    def fill():
        for number in range(500):
            store.experiment(f"number {number}", str(number), "long " * 500)

    with pytest.raises(TrackingError, match=r"cannot use the tracking store .*: the disk is full; free some space"):
        fill()


def test_a_full_disk_under_a_studys_storage_is_said_in_words(tmp_path, full):
    with pytest.raises(TrackingError, match=r"cannot use the studies' storage .*: the disk is full; free some space"):
        Storage(f"sqlite:///{tmp_path}/studies.db")


def test_a_full_disk_that_optuna_wraps_is_one_line_without_a_statement(tmp_path, monkeypatch, capsys):
    import optuna

    from pneumobench import cli

    study = optuna.create_study(study_name="s", storage=f"sqlite:///{tmp_path}/studies.db")
    engine = study._storage._backend.engine

    def fill(**_):
        with engine.connect() as connection:
            pages = connection.execute(sqlalchemy.text("pragma page_count")).scalar()
        sqlalchemy.event.listen(
            engine, "checkout", lambda raw, *_: raw.execute(f"pragma max_page_count = {pages}").fetchone()
        )
        for number in range(1000):
            study.set_user_attr(str(number), "long " * 100)

    monkeypatch.setattr(cli, "app", fill)
    with pytest.raises(SystemExit):
        cli.main()
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("pneumobench: the disk is full; free some space")
    assert not any("INSERT" in line for line in said)
