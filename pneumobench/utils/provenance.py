"""Where a result comes from: the commit, the library versions, the process."""

from __future__ import annotations

import getpass
import os
import platform
import re
import shlex
import socket
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

LIBRARIES = ("pneumobench", "keras", "tensorflow", "jax", "numpy", "scikit-learn", "mlflow", "optuna")


@cache
def version() -> str:
    """The installed version of pneumobench."""
    try:
        return metadata.version("pneumobench")
    except metadata.PackageNotFoundError:
        return "unknown"


@cache
def versions() -> dict[str, str]:
    """Versions of the libraries that shape a result; absent ones are left out."""
    installed = {}
    for name in LIBRARIES:
        try:
            installed[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return installed


def environment() -> dict[str, Any]:
    """What a training runs in: Python, the system, its processor, and every installed package with its version."""
    packages = {(package.metadata["Name"] or "").lower(): package.version for package in metadata.distributions()}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "packages": dict(sorted(packages.items())),
    }


def processor() -> str:
    """The processor's name, as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


@cache
def commit() -> str:
    """The git commit of this package's source, "+changed" where it or a plugin is edited; "none" if installed."""
    source = Path(__file__).resolve()
    root = source.parents[2]  # of the package, with the plugins beside it
    if not _git(root, "ls-files", "--error-unmatch", str(source)):  # another project's repository, or none
        return "none"
    changed = _git(root, "status", "--porcelain", "--", "pneumobench", "plugins")
    return _git(root, "rev-parse", "HEAD") + ("+changed" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def process() -> dict[str, str]:
    """Host, machine, process id and start time of this process: together they identify it."""
    started = psutil.Process().create_time()
    return {
        "host": socket.gethostname(),
        "machine": machine(),
        "pid": str(os.getpid()),
        "pid_started": f"{started:.2f}",
    }


@cache
def machine() -> str:
    """What process ids are numbered in: this start of the system, and the container's namespace.

    A host's name does not tell: containers share one, and the next container of a job has another.
    """
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux
        return f"{socket.gethostname()} {psutil.boot_time():.0f}"


def is_alive(identity: dict[str, str]) -> bool | None:
    """Whether the process that `process()` described still runs; None where another machine must be asked."""
    if identity.get("machine") != machine():
        return None
    try:
        running = psutil.Process(int(identity["pid"]))
        return (
            abs(running.create_time() - float(identity["pid_started"])) < 1 and running.status() != psutil.STATUS_ZOMBIE
        )
    except (psutil.NoSuchProcess, KeyError, ValueError):
        return False
    except psutil.AccessDenied:
        return True


def command() -> str:
    """The command line that started this process, or "library use" where another program calls us."""
    program = Path(sys.argv[0])
    ours = program.stem == "pneumobench" or program.parent.name == "pneumobench"
    return redact(shlex.join(["pneumobench", *sys.argv[1:]])) if ours else "library use"


def redact(text: str) -> str:
    """The text with the passwords of its addresses replaced by stars.

    By pattern: a command line or an error message is no address that SQLAlchemy could parse; `utils.database` hides
    an address's own.
    """
    return re.sub(r"([?&]password=)[^&\s]+", r"\1***", re.sub(r"(://[^:@/\s]*):\S+@", r"\1:***@", text))


def user() -> str:
    """Who runs this process, as the system knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return str(os.getuid())


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
