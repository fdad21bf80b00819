import pytest

from pneumobench.errors import TrackingError, UsageError
from pneumobench.search.storage import Storage, address, exists
from pneumobench.utils.provenance import redact


def test_the_default_is_beside_the_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert address(None) == f"sqlite:///{tmp_path}/runs/studies.db"
    assert not exists(None)
    Storage()
    assert exists(None)


def test_postgresql_addresses_name_the_driver():
    assert address("postgresql://a:b@host/db") == "postgresql+psycopg://a:b@host/db"


@pytest.mark.parametrize("url", ["mysql://u:secret@host/db", "runs/studies.db"])
def test_other_addresses_are_refused_without_their_password(url):
    with pytest.raises(UsageError) as refused:
        address(url)
    assert "secret" not in str(refused.value)


def test_an_unreachable_server_is_reported_in_one_line_without_the_password():
    with pytest.raises(TrackingError) as error:
        Storage("postgresql+psycopg://user:secret@127.0.0.1:1/none?connect_timeout=2")
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_passwords_in_a_query_are_hidden_too():
    assert redact("postgresql://host/db?user=a&password=secret&x=1") == "postgresql://host/db?user=a&password=***&x=1"


def test_a_lock_keeps_others_out_and_errors_inside_it_are_the_caller_s(tmp_path):
    storage = Storage(f"sqlite:///{tmp_path}/studies.db")
    with pytest.raises(ValueError, match="mine"), storage.lock("any"):
        raise ValueError("mine")
    with storage.lock("any"):
        pass
