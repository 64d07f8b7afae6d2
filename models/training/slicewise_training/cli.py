"""The command `slicewise-training <verb>`: results on standard output, progress on standard error.

Exit codes: 0 done, 1 our bug, 2 a configuration, data or an argument that cannot be used, 3 something that this
computer lacks, 130 interrupted. An error that the user can mend is one line, with what to do; DEBUG=1 adds the
traceback.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NoReturn, Protocol

from .errors import InputError, SetupError, TrainingError
from .verbs import (
    average,
    compare,
    compare_plot,
    cost,
    curves,
    deployed,
    evaluate,
    export,
    finetune,
    make_split,
    model_card,
    pictures,
    reliability,
    train,
)


class Verb(Protocol):
    """A module of `verbs`."""

    __name__: str
    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, arguments: argparse.Namespace) -> str | None:
        """Does the work and returns what is to be printed."""


VERBS: tuple[Verb, ...] = (
    make_split,
    train,
    finetune,
    average,
    curves,
    evaluate,
    export,
    deployed,
    reliability,
    pictures,
    model_card,
    cost,
    compare,
    compare_plot,
)
"""In the order of work: from data to a model folder with its figures, then networks beside each other."""

EXTRAS = {
    "PIL": "pictures",
    "highdicom": "dicom",
    "pydicom": "dicom",
    "safetensors": "imagenet",
    "segmentation_models_pytorch": "comparison",
    "surface_distance": "comparison",
}
"""The extra of pyproject.toml that has an optional library, by the module's name."""


MISNAMED = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and no usage before it."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message, f"see {self.prog} --help")


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="slicewise-training",
        description="Trains, measures and exports the networks of Slicewise.",
        epilog="slicewise-training <verb> --help says what a verb reads and writes.",
        formatter_class=partial(argparse.HelpFormatter, max_help_position=20, width=100),
    )
    verbs = parser.add_subparsers(metavar="<verb>", required=True, title="verbs, in the order of work")
    for verb in VERBS:
        words = (verb.__doc__ or "").strip()
        of_verb = verbs.add_parser(
            name_of(verb),
            help=words.splitlines()[0].removesuffix("."),
            description=words,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        verb.add_arguments(of_verb)
        of_verb.add_argument("--quiet", action="store_true", help="no progress: only warnings, errors and the result")
        of_verb.set_defaults(verb=verb)
    return parser


def name_of(verb: Verb) -> str:
    return verb.__name__.rsplit(".", 1)[1].replace("_", "-")


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command of these words, those of the process unless given, and returns its exit code."""
    try:
        arguments = build_parser().parse_args(words)
        with progress(logging.WARNING if arguments.quiet else logging.INFO):
            result = arguments.verb.run(arguments)
        if result is not None:
            sys.stdout.write(result + "\n")
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the result has enough; Python must not fail once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return fail(None, "interrupted; a training goes on from its last checkpoint by the same command", 130)
    except Exception as error:
        known = known_error(error)
        if known is None:
            traceback.print_exc()
            return fail(None, "something went wrong that should not; please report it with the lines above", 1)
        return fail(error, str(known), known.exit_code)
    return 0


def known_error(error: Exception) -> TrainingError | None:
    """The error as one that a user can mend, or None if it is a bug of ours."""
    if isinstance(error, TrainingError):
        return error
    if isinstance(error, ModuleNotFoundError) and (extra := EXTRAS.get((error.name or "").split(".")[0])):
        return SetupError(f"this needs the library {error.name}", f"pip install -e 'models/training[{extra}]'")
    if isinstance(error, MISNAMED) and error.filename:
        return InputError(
            f"{error.filename}: {error.strerror}", "name another file or folder, or change its permissions"
        )
    # PyTorch says so of a GPU by a class of its own, of the computer by its words.
    is_of_torch = type(error).__name__ == "OutOfMemoryError" or "DefaultCPUAllocator" in str(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and is_of_torch):
        return SetupError(
            "there is not enough memory", "lower `batch` or `size` in training.crops, or end other programs"
        )
    if isinstance(error, OSError) and error.strerror:
        name = error.filename or "the computer"
        return SetupError(f"{name}: {error.strerror}", "make room or mend the device, then run it again")
    return None


def fail(error: Exception | None, words: str, exit_code: int) -> int:
    if error is not None and os.environ.get("DEBUG"):
        traceback.print_exception(error)
    sys.stderr.write(f"error: {' '.join(words.split())}\n")
    return exit_code


@contextmanager
def progress(level: int) -> Iterator[None]:
    """Log lines of this package go to standard error meanwhile, as they are; a warning says that it is one."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    log = logging.getLogger(__package__)
    before = log.level
    log.setLevel(level)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        words = super().format(record)
        return words if record.levelno < logging.WARNING else f"{record.levelname.lower()}: {words}"
