"""The command line: argv to one command, and a PipelineError to one line on stderr and its exit code.

stdout carries the result (with --json one document and nothing else); progress and warnings go to stderr.
"""

from __future__ import annotations

import typer

from yolo_pipeline.commands.advising import suggest
from yolo_pipeline.commands.attempts import compare, evaluate, report, train
from yolo_pipeline.commands.data import audit, build, convert, doctor, fetch, init, upload
from yolo_pipeline.commands.detecting import detect
from yolo_pipeline.commands.exporting import export
from yolo_pipeline.commands.importing import import_run
from yolo_pipeline.commands.output import warn
from yolo_pipeline.commands.setting_up import setup_tfapi
from yolo_pipeline.errors import INTERRUPTED, PipelineError
from yolo_pipeline.files import explain_os_error

app = typer.Typer(
    help="From labelled pictures to a judged detector, attempt by attempt.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for one in (
    init, fetch, upload, convert, audit, build, train, evaluate, report, suggest, compare, detect, export, doctor,
):  # fmt: skip
    app.command()(one)
app.command("import-run")(import_run)
app.command("setup-tfapi")(setup_tfapi)


def run(arguments: list[str]) -> int:
    """Runs one command line. Returns the exit code: 0 done, 1 our fault, 2 wrong usage, 3 bad input."""
    try:
        result = app(arguments, standalone_mode=False)
    except PipelineError as error:
        warn(f"error: {error}")
        return error.exit_code
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return INTERRUPTED
    except KeyboardInterrupt:
        warn("interrupted; nothing half-written was left")
        return INTERRUPTED
    except OSError as error:
        explained = explain_os_error(error.filename or "files", error)
        if explained is None:
            raise
        warn(f"error: {explained}")
        return explained.exit_code
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # typer's own usage errors
            error.show()
            return int(error.exit_code)
        raise
    return result if isinstance(result, int) else 0
