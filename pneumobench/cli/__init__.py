"""The command line: thin commands, which import heavy libraries only when they run."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from pneumobench.cli import (
    card,
    compare,
    data,
    external,
    imports,
    plan,
    plugins,
    predict,
    rerun,
    run,
    runs,
    stress,
    study,
    tracking,
)
from pneumobench.errors import PneumobenchError, UsageError, one_line
from pneumobench.utils.interrupts import outside_databases

app = typer.Typer(
    name="pneumobench",
    help="Honest comparison of models that read chest X-rays for pneumonia.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.add_typer(plugins.app, name="plugins")
app.command("import")(imports.import_predictions)
app.command("compare")(compare.compare)
app.command("card")(card.card)
app.command("checklist")(card.checklist)
app.command("external")(external.external)
app.command("stress")(stress.stress)
app.command("plan")(plan.plan)
app.add_typer(study.app, name="study")
app.command("worker")(study.worker)
app.command("rerun")(rerun.rerun)
app.command("runs")(runs.runs)
app.command("export")(runs.export)
app.command("predict")(predict.predict)
app.command("champion")(predict.champion)
app.add_typer(data.app, name="data")
app.command("ledger")(tracking.ledger)
app.command("send")(tracking.send)
app.command("ui")(tracking.ui)


INTERRUPTED = 130  # the exit code of Ctrl-C


def _version(wanted: bool) -> None:
    if wanted:
        from pneumobench.utils.provenance import version

        typer.echo(version())
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")] = False,
) -> None:
    if debug:
        os.environ["PNEUMOBENCH_DEBUG"] = "1"


def main() -> NoReturn:
    """Run a command; exit with 0, 1 (failed), 2 (wrong usage), 129 (SIGHUP), 130 (Ctrl-C) or 143 (SIGTERM)."""
    try:
        _check_folder()
        with outside_databases(signal.SIGTERM, signal.SIGHUP):
            code = app(standalone_mode=False, prog_name="pneumobench") or 0
        if code == INTERRUPTED:  # typer makes a plain exit code of Ctrl-C
            raise KeyboardInterrupt
    except PneumobenchError as error:
        code = _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = _fail("interrupted", INTERRUPTED)
    except typer.Exit as leave:
        code = leave.exit_code
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else 1
    except BrokenPipeError:  # nobody reads our output any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
    except Exception as error:
        if hasattr(error, "format_message"):  # click's usage errors
            context = getattr(error, "ctx", None)
            hint = f" (see `{context.command_path} --help`)" if context else ""
            code = _fail(error.format_message().rstrip(".") + hint, 2)
        else:
            code = _fail(f"{_in_words(error)} (--debug shows where)", 1)
    sys.exit(code)


def _in_words(error: Exception) -> str:
    """An error in one line; one of a database, from wherever it comes, without its statement and parameters."""
    if type(error).__module__.startswith(("sqlalchemy.", "sqlite3", "optuna.", "mlflow.")) or isinstance(
        error, OSError
    ):
        from pneumobench.utils.database import PLAIN, plain

        if (words := plain(error)) in PLAIN.values():
            return words
    return one_line(error)


def _check_folder() -> None:
    """Raises: UsageError where the working directory was deleted, which no library reports as such."""
    try:
        os.getcwd()
    except OSError:
        raise UsageError("the working directory does not exist any more; change into one that does") from None


def _fail(message: str, code: int) -> int:
    """Say in one line what went wrong; the traceback is for `--debug`."""
    if os.environ.get("PNEUMOBENCH_DEBUG"):
        traceback.print_exc()
    sys.stdout.flush()
    print(f"pneumobench: {' '.join(message.split())}", file=sys.stderr)
    return code
