"""Reads a block of a configuration into its dataclass, so that a slip of the pen is said where it stands."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import InputError

Block = TypeVar("Block")

REMEDY = "models/training/README.md says what a configuration has"


def read_block(block: type[Block], said: Any, name: str) -> Block:
    """The block `said`, as JSON has it, as a dataclass; `name` is where it stands, as in `training.crops[0]`.

    @raises InputError for settings that are unknown, missing or of another type
    """
    hints = get_type_hints(block)
    known = {field.name: field for field in fields(block)}  # type: ignore[arg-type]
    if not isinstance(said, dict):
        raise InputError(f"{name} is {said!r}, not a block of settings", REMEDY)
    for key in said.keys() - known.keys():
        near = get_close_matches(key, known, 1)
        raise InputError(f"{name}.{key} is no setting", f"did you mean {near[0]}?" if near else REMEDY)
    for key, field in known.items():
        if key not in said and field.default is MISSING and field.default_factory is MISSING:
            raise InputError(f"{name}.{key} is missing", REMEDY)
    return block(**{key: read_value(hints[key], value, f"{name}.{key}") for key, value in said.items()})


def read_value(kind: Any, value: Any, name: str) -> Any:
    """`value` as the type `kind`: a number, a word, one of a Literal, a block, or a tuple of them.

    @raises InputError if it is of another type; a whole number is a float too, but true and false are no numbers
    """
    origin, of = get_origin(kind), get_args(kind)
    if origin is Literal:
        if not any(value == allowed and type(value) is type(allowed) for allowed in of):
            raise InputError(f"{name} is {value!r}", f"it is one of {', '.join(map(repr, of))}")
        return value
    if origin in (Union, types.UnionType):
        (inner,) = (part for part in of if part is not type(None))
        return None if value is None else read_value(inner, value, name)
    if origin is tuple:
        return _read_tuple(of, value, name)
    if hasattr(kind, "__dataclass_fields__"):
        return read_block(kind, value, name)
    accepted = (int, float) if kind is float else (kind,)
    if type(value) not in accepted:
        raise InputError(f"{name} is {value!r}", f"it is {WORDS[kind]}")
    return value


WORDS = {int: "a whole number", float: "a number", str: "text in quotes", bool: "true or false"}


def _read_tuple(of: tuple[Any, ...], value: Any, name: str) -> tuple[Any, ...]:
    count = None if of[-1] is Ellipsis else len(of)
    if not isinstance(value, list) or (count is not None and len(value) != count):
        raise InputError(f"{name} is {value!r}", "it is a list" + (f" of {count}" if count else ""))
    kinds = of if count is not None else (of[0],) * len(value)
    return tuple(
        read_value(kind, item, f"{name}[{n}]") for n, (kind, item) in enumerate(zip(kinds, value, strict=True))
    )
