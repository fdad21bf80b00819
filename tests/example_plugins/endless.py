"""A network that trains until it is stopped, for tests."""

from dataclasses import replace

from pneumobench_folder_plugins.tiny import plugin as tiny

plugin = replace(tiny, defaults={**tiny.defaults, "epochs": 100_000})
