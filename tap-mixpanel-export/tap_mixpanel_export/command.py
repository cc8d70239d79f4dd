"""The command line: the SDK's, with errors of the tap's own as one line and exit code 1."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click
from singer_sdk.exceptions import ConfigValidationError, MappingError
from singer_sdk.plugin_base import SingerCommand

from tap_mixpanel_export.errors import OutputError, SettingsError, TapError
from tap_mixpanel_export.stdout_errors import answering, check_stdout
from tap_mixpanel_export.stream_map_errors import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEST_HELP = (
    "Check the connection and print a line for each check; exit with 0 if none failed. "
    "--test=schema writes the schema instead and asks Mixpanel for nothing that a run would not."
)


class ExportCommand(SingerCommand):
    """The tap's command."""

    @classmethod
    def like(cls, command: click.Command, logger: logging.Logger) -> ExportCommand:
        """Return this kind of command with another's options."""
        for option in command.params:
            if isinstance(option, click.Option) and option.name == "test":
                option.help = _TEST_HELP
        return cls(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=logger,
        )

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments, which runs ``--test`` and ``--discover``."""
        # Below ERROR it logs whole URLs, and `where` may hold customer data.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        with self._one_line_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the tap."""
        with self._one_line_errors():
            return super().invoke(ctx)

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        try:
            check_stdout()
            yield
            with answering():
                sys.stdout.flush()
        except TapError as error:
            for line in error.args:
                self.logger.error("%s", line)  # noqa: TRY400 - a line, no traceback
            if isinstance(error, OutputError) and sys.stdout is not None:
                _discard_stdout()
            raise SystemExit(1) from None
        except BrokenPipeError:
            self.logger.error("stdout was closed by its reader")  # noqa: TRY400 - as above
            _discard_stdout()
            raise SystemExit(1) from None


def _discard_stdout() -> None:
    """Keep Python from a second attempt at what could not be written when it ends.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def settings_errors() -> Iterator[None]:
    """Turn the SDK's errors about the settings into lines without a traceback."""
    try:
        yield
    except ConfigValidationError as error:
        raise SettingsError(*error.errors) from None
    except MappingError as error:
        raise SettingsError(f"stream_maps: {one_line(error)}") from None


def checked_json(file: IO[str] | None, option: str) -> IO[str] | None:
    """Read a file of the command line that must hold JSON.

    Args:
        file: The open file, or None if the option was not given.
        option: The option, for the message.

    Returns:
        The same text, to be read again.

    Raises:
        TapError: It is not JSON.
    """
    if file is None:
        return None
    text = file.read()
    try:
        json.loads(text)
    except ValueError as error:
        advice = "; of several lines hand over the last one" if option == "--state" else ""
        raise TapError(f"{option} {file.name}: is not JSON ({error}){advice}") from None
    return io.StringIO(text)
