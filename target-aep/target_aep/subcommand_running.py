"""What commands beside loading have in common: settings, errors as one line, output."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import threading
import traceback
import typing as t

import click
from singer_sdk.exceptions import ConfigValidationError

from target_aep.command import end_process, one_line
from target_aep.environment import read_environment
from target_aep.errors import TargetError
from target_aep.mapping.model import MappingMistakesError

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput

    from target_aep.target import TargetAEP

logger = logging.getLogger("target-aep")

_CREDENTIAL = ("client_id", "client_secret", "org_id")


def run(make_target: Callable[[], TargetAEP], work: Callable[[TargetAEP], int | None]) -> int:
    """Make a target and let it do something; any error ends the process with one line and 1.

    Args:
        make_target: Makes the target.
        work: What is done with it; it may give the exit code.

    Returns:
        The exit code.

    Raises:
        ConfigValidationError: The settings are not valid; the SDK's command shows the mistakes.
    """
    target = None
    try:
        target = make_target()
        status = work(target)
    except ConfigValidationError:
        raise
    except BrokenPipeError:  # whoever read the output has seen enough
        if target:
            _let_go(target)
        end_process(1)
    except Exception as error:  # noqa: BLE001 - the last net: none may leave a batch open
        line = target.explain(error) if target else one_line(error)
        logger.error("%s", line)  # noqa: TRY400 - the traceback is for developers
        if target:
            logger.debug("%s", target.rules.redact(traceback.format_exc()))
            _let_go(target)
        # Uploads under way would hold up an ordinary exit.
        end_process(1)
    target.close()
    return status or 0


def make_onlooker(target_class: type[TargetAEP], settings: dict[str, t.Any]) -> TargetAEP:
    """Make a target for work that loads nothing.

    Signals end it without the summary of a run: that file tells of the last one that loaded.

    Args:
        target_class: The target.
        settings: Its settings, those of the environment in them.

    Raises:
        ConfigValidationError: The settings are not valid.
    """
    target = target_class(config=settings)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _end)
    return target


def without_dataset(target_class: type[TargetAEP]) -> type[TargetAEP]:
    """The target for commands that come before there is a dataset: the settings may name none."""
    return type(target_class.__name__, (target_class,), {"requires_dataset": False})


def _end(number: int, _frame: FrameType | None) -> t.NoReturn:
    with contextlib.suppress(RuntimeError):  # the signal came while stderr was written
        logger.warning(
            "Received %s: ending; what was told as done is done, call it again to go on",
            signal.Signals(number).name,
        )
    raise SystemExit(128 + number)


@contextlib.contextmanager
def one_error() -> Iterator[None]:
    """Tell an error of work without a target as one line, or several mistakes as a line each.

    Raises:
        Exit: Such an error came; the exit code is 1.
    """
    try:
        yield
    except MappingMistakesError as error:
        for complaint in error.complaints:
            logger.error("%s", complaint)  # noqa: TRY400 - the traceback says nothing to users
    except TargetError as error:
        logger.error("%s", one_line(error))  # noqa: TRY400 - as above
    else:
        return
    raise click.exceptions.Exit(1)


def config_option(target_class: type[TargetAEP]) -> click.Option:
    """The option `--config` of the target."""
    return click.Option(
        ["--config"],
        multiple=True,
        help="Configuration file location or 'ENV' to use environment variables.",
        type=click.STRING,
        callback=target_class.cb_config,
    )


def input_options() -> list[click.Option]:
    """The options `--input` and `--stream` of commands that look at records."""
    return [
        click.Option(
            ["--input", "path"],
            help="File of Singer messages, or of records as JSON lines; default: stdin.",
        ),
        click.Option(
            ["--stream"],
            default="events",
            show_default=True,
            help="Stream of records that are not in messages.",
        ),
    ]


def settings_of(config: _ConfigInput, target_class: type[TargetAEP]) -> dict[str, t.Any]:
    """The settings of files and environment, nothing of them checked.

    Args:
        config: What `--config` gave.
        target_class: Whose settings they are.

    Raises:
        ConfigValidationError: A variable of the environment is of no use for its setting.
    """
    settings = dict(config.config)
    if config.parse_env:
        target_class.append_builtin_config(target_class.config_jsonschema)
        prefix = f"{target_class.name.upper().replace('-', '_')}_"
        found, errors = read_environment(target_class.config_jsonschema, prefix)
        if errors:
            raise ConfigValidationError("Config validation failed", errors=errors)
        settings.update(found)
    return settings


def with_mapping(settings: Mapping[str, t.Any], mapping: str | None) -> dict[str, t.Any]:
    """Settings for looking at a mapping: without any credential the local destination is meant.

    Args:
        settings: As they were given.
        mapping: Takes the place of those that they name; None for none.
    """
    changed = dict(settings)
    if mapping is not None:
        changed["mapping"] = mapping
        changed.pop("mappings", None)
    if not any(settings.get(name) for name in ("destination", *_CREDENTIAL)):
        changed["destination"] = "local"
    return changed


def say(line: str) -> None:
    """Write a line to stdout at once, whatever characters that can show."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def _let_go(target: TargetAEP) -> None:
    with contextlib.suppress(Exception):  # the failure that was told may be the destination's
        target.destination.stop()
        target.destination.abandon()
        target.close()
