"""A group of commands that has a default one."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class DefaultToWrite(TyperGroup):
    """A group in which arguments that begin with the name of no command are those of ``write``.

    So ``group PATH --out FOLDER`` is short for ``group write PATH --out FOLDER``, and ``group`` alone for
    ``group write``. A path that bears the name of a command is reached by the long form, or as ``./validate``.
    """

    default = "write"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command before arguments that name none and do not ask for help."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [self.default, *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed
