"""Roboflow's SDK, kept quiet: its key stays secret, its questions end, its errors come in our words.

The SDK prints, puts the key into addresses and so into the texts of errors, sets no time limit on most questions,
replaces Python's way to show warnings, and takes over a `.env` file that it finds around its own folder.
"""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from threading import Thread
from types import ModuleType
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from yolo_pipeline.errors import InputError, one_line

T = TypeVar("T")

KEY_VARIABLE = "ROBOFLOW_API_KEY"
PAGE = r"(?:https?://(?:universe|app)\.roboflow\.com/)?"
"""What may stand before the name of a workspace where somebody copied the address of a page."""
_KEY = re.compile(r"[A-Za-z0-9_.-]{6,200}")
_KEY_IN_ADDRESS = re.compile(r"((?:api_)?key=)[^&\s\"')]+", re.IGNORECASE)
_WHERE_KEYS_ARE = "app.roboflow.com, Settings, API Keys"
_LONGEST_ANSWER = 300
_ANSWER_S = 120.0


@dataclass(frozen=True, slots=True)
class Sdk:
    """The SDK's modules and the key; neither is ever shown.

    Attributes:
        roboflow: the package.
        rfapi: its functions, one an address of the server.
        project: its module with the class Project.
    """

    key: str = field(repr=False)
    roboflow: ModuleType = field(repr=False)
    rfapi: ModuleType = field(repr=False)
    project: ModuleType = field(repr=False)

    @property
    def server(self) -> str:
        return str(self.rfapi.API_URL)

    def ask(self, where: str, question: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """What the server answers to one call of the SDK.

        Args:
            where: what the question is about, for errors.

        Raises:
            InputError: no answer, a refusal, or an answer that is none.
        """
        try:
            with self.quiet():
                return _within(_ANSWER_S, lambda: question(*arguments, **options))
        except Exception as error:  # the SDK raises anything from RuntimeError to KeyError
            self.explain(where, error)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing that is printed or logged in this block holds the key."""

        def without_key(record: logging.LogRecord) -> bool:
            record.msg, record.args = self.scrub(record.getMessage()), ()
            return record.levelno >= logging.WARNING  # below, it logs the address of every question

        log = logging.getLogger("urllib3.connectionpool")
        log.addFilter(without_key)
        try:
            with redirect_stdout(io.StringIO()):
                yield
        finally:
            log.removeFilter(without_key)

    def scrub(self, text: str) -> str:
        """`text` on one line, cut to a length, without the key."""
        line = one_line(_KEY_IN_ADDRESS.sub(r"\1…", text.replace(self.key, "…")))
        return line if len(line) <= _LONGEST_ANSWER else line[:_LONGEST_ANSWER] + "…"

    def explain(self, where: str, error: BaseException) -> NoReturn:
        """Raises the error as one for the user; the original is not chained, as its text holds the key."""
        raise InputError(where, self.reason(error), _remedy(status_of(error))) from None

    def reason(self, error: BaseException) -> str:
        return self.scrub(self._reason(error, status_of(error), _message(error)))

    def _reason(self, error: BaseException, status: int | None, said: str) -> str:
        if status in (401, 403):
            return f"Roboflow refuses the key ({status}: {said})"
        if status == 404:
            return f"Roboflow has no such thing, or does not show it with this key ({said})"
        if status == 429:
            return f"Roboflow was asked too often ({said})"
        if status is not None and status >= 500:
            return f"Roboflow fails ({status}: {said})"
        if (network := network_fault(error)) is not None:
            return f"{urlsplit(self.server).hostname} is not reached or breaks off ({network})"
        return f"Roboflow answers with an error ({said})"


def open_sdk() -> Sdk:
    """The SDK with the key of the environment.

    Raises:
        InputError: the key or the package is missing, or cannot be one.
    """
    key = _key()
    environment, formatting = dict(os.environ), warnings.formatwarning
    try:
        with redirect_stdout(io.StringIO()):
            import roboflow
            from roboflow.adapters import rfapi
            from roboflow.core import project
    except ImportError as error:
        remedy = 'python -m pip install -e ".[roboflow]"'
        raise InputError("roboflow", f"the package is missing or not whole ({error})", remedy) from None
    except Exception as error:  # its configuration file is read on import
        remedy = "Mend or remove its configuration file (~/.config/roboflow/config.json)"
        raise InputError("roboflow", f"the package does not start ({type(error).__name__}: {error})", remedy) from None
    finally:
        warnings.formatwarning = formatting
        for name in os.environ.keys() - environment:
            del os.environ[name]
    return Sdk(key, roboflow, rfapi, project)


def status_of(error: BaseException) -> int | None:
    """The HTTP status behind an error of the SDK, which only some of them carry."""
    status = getattr(error, "status_code", None) or _said(error).get("status")
    return status if isinstance(status, int) else None


def network_fault(error: BaseException) -> str | None:
    """What the network did, in the system's words, where that is behind an error; else None."""
    from requests import RequestException
    from requests.exceptions import JSONDecodeError

    chain = list(_causes(error))
    faults = [cause for cause in chain if isinstance(cause, RequestException | TimeoutError)]
    if not faults or any(isinstance(cause, JSONDecodeError) for cause in chain):
        return None
    said = (cause.strerror for cause in chain if isinstance(cause, OSError) and isinstance(cause.strerror, str))
    return next(said, type(faults[0]).__name__)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came of, the outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _key() -> str:
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        remedy = f"Copy the private key from {_WHERE_KEYS_ARE}, and set it: export {KEY_VARIABLE}=… (Windows: set)"
        raise InputError(KEY_VARIABLE, "is not set in the environment, and Roboflow wants a key", remedy)
    if not _KEY.fullmatch(key):
        raise InputError(KEY_VARIABLE, "is no key: keys have letters and digits", f"Copy it again: {_WHERE_KEYS_ARE}")
    return key


def _within(seconds: float, question: Callable[[], T]) -> T:
    """The answer to a question; one that gets none is left to end with the program.

    Raises:
        TimeoutError: there was none in time.
    """
    answer: Future[T] = Future()

    def ask() -> None:
        try:
            answer.set_result(question())
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        if answer.done():  # the question's own
            raise
        raise TimeoutError(errno.ETIMEDOUT, f"no answer in {seconds:g} seconds") from None


def _said(error: BaseException) -> dict[str, Any]:
    """The `error` object of the server's JSON, which the SDK hands on as text."""
    try:
        answer = json.loads(str(error))
    except (ValueError, RecursionError):
        return {}
    said = answer.get("error", answer) if isinstance(answer, dict) else {}
    return said if isinstance(said, dict) else {"message": said}


def _message(error: BaseException) -> str:
    if isinstance(error, KeyError | TypeError | AttributeError):
        return f"its answer is not as the SDK expects it: {type(error).__name__} {error}"
    message = _said(error).get("message")
    return message if isinstance(message, str) else str(error) or type(error).__name__


def _remedy(status: int | None) -> str:
    if status in (401, 403):
        return f"Check {KEY_VARIABLE}: {_WHERE_KEYS_ARE}"
    if status == 404:
        return "Check the names: they are in the address of the project's page"
    if status is None or status == 429 or status >= 500:
        return "Check the network connection, and try again in some minutes"
    return "Check what was asked for"
