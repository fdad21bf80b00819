"""Every built-in plugin keeps the contract."""

import pytest

from pneumobench import contract
from pneumobench.authoring import registry

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", [name for name, entry in registry.entries().items() if entry.origin == "built-in"])
def test_it_keeps_the_contract(name):
    assert [verdict for verdict in contract.check(name) if verdict.broken] == []
