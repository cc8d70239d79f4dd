"""The command line: the SDK's, with errors of the tap's own as one line and exit code 1."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import SingerCommand

from tap_mixpanel_export.errors import SettingsError, TapError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    import click


class ExportCommand(SingerCommand):
    """The tap's command."""

    @classmethod
    def like(cls, command: click.Command, logger: logging.Logger) -> ExportCommand:
        """Return this kind of command with another's options."""
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
        with self._one_line_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the tap."""
        with self._one_line_errors():
            return super().invoke(ctx)

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        try:
            yield
        except TapError as error:
            for line in error.args:
                self.logger.error("%s", line)  # noqa: TRY400 - a line, no traceback
            raise SystemExit(1) from None


@contextmanager
def settings_errors() -> Iterator[None]:
    """Turn the SDK's error about the settings, which it would follow with a line of its own."""
    try:
        yield
    except ConfigValidationError as error:
        raise SettingsError(*error.errors) from None


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
        raise TapError(f"{option} {file.name}: is not JSON ({error})") from None
    return io.StringIO(text)
