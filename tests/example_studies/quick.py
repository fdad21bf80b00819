"""Trials that take milliseconds, for tests."""

from pneumobench import Study

study = Study(plugins=("knobby",))
