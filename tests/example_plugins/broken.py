"""A plugin that cannot be imported, for tests."""

import no_such_module  # noqa: F401
