"""Pipes between processes."""

from __future__ import annotations

import contextlib
import typing as t

PIPE_BYTES: t.Final = 1 << 20
"""As much as Linux lets any user have in a pipe (fs.pipe-max-size)."""


def widen_pipe(descriptor: int) -> None:
    """Let a pipe hold more, where the system can do that: so both of its ends rest less often.

    Args:
        descriptor: Of one end; of anything else it does nothing.
    """
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415 - not on every system

        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
