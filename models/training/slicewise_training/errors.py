"""What a user can mend, as errors: each says what is wrong and what to do about it, and has the command's exit code."""

from __future__ import annotations


class TrainingError(Exception):
    """`remedy` is an act, without a full stop, as the message is."""

    exit_code = 1

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}: {remedy}")
        self.message, self.remedy = message, remedy


class InputError(TrainingError, ValueError):
    """A configuration, data, weights or an argument that cannot be used."""

    exit_code = 2


class SetupError(TrainingError, RuntimeError):
    """Something that this computer lacks: a library, a program, the internet."""

    exit_code = 3
