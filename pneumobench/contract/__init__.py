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
    """Check a plugin against every clause, on a tiny phantom and with the knobs of its `check`.

    A broken clause does not stop the others. Raises: UsageError or PluginError if the plugin cannot be loaded.
    """
    case = Case(name)
    verdicts = []
    for clause in CLAUSES:
        if on_clause:
            on_clause(clause)
        verdicts.append(clause.judge(case))
    return verdicts
