"""The contract of a plugin, clause by clause: `pneumobench plugins check` runs it, and tests of plugins import it.

from pneumobench import contract

def test_my_plugin_keeps_the_contract():
    assert [v for v in contract.check("my_plugin") if v.broken] == []
"""

from __future__ import annotations

from collections.abc import Callable

from pneumobench.contract.case import Case, Clause, Verdict
from pneumobench.contract.checks import CLAUSES

__all__ = ["CLAUSES", "Case", "Clause", "Verdict", "check"]


def check(name: str, *, on_clause: Callable[[Clause], None] | None = None) -> list[Verdict]:
    """What held of a plugin, on a tiny phantom and with the knobs of its `check`; a clause that breaks ends nothing.

    Raises: UsageError or PluginError where the plugin cannot even be loaded.
    """
    case = Case(name)
    found = []
    for clause in CLAUSES:
        if on_clause:
            on_clause(clause)
        found.append(clause.judge(case))
    return found
