"""Settings of features, networks and training as plain dictionaries and back.

Owns how a frozen config dataclass is written beside the weights that it made,
and read again. What a setting means is left to the module that it configures.
"""

import dataclasses
import types
import typing
from datetime import datetime
from typing import Any, TypeVar

from audiomnist.errors import ConfigError

Config = TypeVar("Config")

READ = "read"
"""Key in the metadata of a dataclass field: what makes its value from plain ones, where
its type alone does not say how. It takes the plain value and raises ConfigError."""


def config_to_dict(config: Any) -> dict[str, Any]:
    """Turn a config into a dictionary of numbers, texts, lists and dictionaries.

    Moments become texts in ISO 8601.
    """
    plain = dataclasses.asdict(config)
    return {name: _plain(value) for name, value in plain.items()}


def config_from_dict(kind: type[Config], values: Any) -> Config:
    """Make a config from what `config_to_dict` wrote.

    Raises
    ------
    ConfigError
        If a setting is unknown or missing, or is of another type.
    """
    if not isinstance(values, dict):
        raise ConfigError(
            f"The settings of {kind.__name__} are {values!r}; expected a dictionary."
        )
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - set(fields)):
        raise ConfigError(
            f"{kind.__name__} has no setting {', '.join(unknown)}; expected "
            f"{', '.join(sorted(fields))}. It was written by another version."
        )
    arguments = {}
    for name, value in values.items():
        if read := fields[name].metadata.get(READ):
            arguments[name] = read(value)
        else:
            arguments[name] = _typed(hints[name], value, f"{kind.__name__}.{name}")
    try:
        return kind(**arguments)
    except TypeError as error:
        raise ConfigError(
            f"The settings of {kind.__name__} do not fit: {error}."
        ) from error


def _plain(value: Any) -> Any:
    """Tuples as lists and moments as texts, all the way down."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _moment(text: str, name: str) -> datetime:
    """A moment from its text, which must tell its distance from UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{name} is {text!r}; expected a moment.") from error
    if moment.tzinfo is None:
        raise ConfigError(f"{name} is {text!r}; expected its distance from UTC, too.")
    return moment


def _typed(hint: Any, value: Any, name: str) -> Any:
    """Check a value from JSON against an annotation and convert it."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(hint)
        if value is None and type(None) in options:
            return None
        (hint,) = [option for option in options if option is not type(None)]
        return _typed(hint, value, name)
    if origin is tuple and isinstance(value, list):
        part = typing.get_args(hint)[0]
        return tuple(_typed(part, entry, name) for entry in value)
    if origin is dict and isinstance(value, dict):
        part = typing.get_args(hint)[1]
        return {key: _typed(part, entry, name) for key, entry in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return config_from_dict(hint, value)
    if hint is datetime and isinstance(value, str):
        return _moment(value, name)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise ConfigError(
        f"{name} is {value!r}; expected {getattr(hint, '__name__', hint)}."
    )
