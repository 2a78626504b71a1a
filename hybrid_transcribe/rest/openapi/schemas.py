"""The schemas of the document, from the types themselves and what their docstrings say."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

import msgspec

from hybrid_transcribe import messages, types
from hybrid_transcribe.outputs.json import schema as transcript_schema
from hybrid_transcribe.types import JobSnapshot, KnownVoice, Options, Recording, RunRecord
from hybrid_transcribe.wire import shapes

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}

_REF = "#/components/schemas/"

#: Where else the fields of a type are described.
_DESCRIBED: Mapping[type, tuple[type, ...]] = {
    shapes.JobView: (JobSnapshot,),
    shapes.RecordingView: (Recording,),
    shapes.RunView: (RunRecord,),
    shapes.AnonymousJob: (JobSnapshot,),
    shapes.JobEvent: (JobSnapshot,),
    shapes.ModelEvent: (Recording,),
}

#: Shorter names than those of the types.
_NAMES = {"EngineInfo": "Engine", "ModelAdvice": "Model"}

#: What people send, where a field may be left out; we leave out none. Structs that refuse unknown
#: fields are sent by people, too.
_SENT = (Options,)

#: Known voices as answers have them: where their recordings lie is nobody's business.
_VOICES: Schema = {
    "type": "array",
    "items": {"type": "object", "properties": {"name": TEXT}, "required": ["name"]},
}

#: Every type that the document refers to by itself; what these are made of comes with them.
_referred: dict[type, None] = {}

# "engine, model: text", indented by four under "Attributes:".
_FIELD = re.compile(r"^    (\w+(?:, \w+)*): (.*)$")


def ref(cls: type | str) -> Schema:
    """A reference to the schema of a type, which the document then has."""
    if isinstance(cls, str):
        return {"$ref": _REF + cls}
    _referred[cls] = None
    return {"$ref": _REF + name_of(cls)}


def name_of(cls: type) -> str:
    """What the document calls a type."""
    return _name(cls.__name__)


def schemas() -> dict[str, Schema]:
    """Every schema by name."""
    _, result = msgspec.json.schema_components(list(_referred), ref_template=_REF + "{name}")
    classes = {
        **vars(types),
        **vars(messages),
        **{cls.__name__: cls for cls in _structs(msgspec.Struct)},
    }
    by_name: dict[str, Schema] = {}
    result.pop(KnownVoice.__name__, None)
    for name, schema in result.items():
        by_name[_name(name)] = entry = _renamed(schema)
        _describe(entry, classes[name])
    return dict(sorted({**by_name, **_transcript()}.items()))


def _structs(cls: type) -> Iterator[type]:
    """Those of ours that derive from one; no two have the same name."""
    subclasses: list[type] = cls.__subclasses__()
    for item in subclasses:
        if item.__module__.startswith("hybrid_transcribe."):
            yield item
        yield from _structs(item)


def field_types(cls: type) -> dict[str, Schema]:
    """The schema of each field of a type, with its description and default."""
    _, result = msgspec.json.schema_components([cls], ref_template=_REF + "{name}")
    schema = _renamed(result[cls.__name__])
    _describe(schema, cls)
    fields: dict[str, Schema] = schema["properties"]
    return fields


# --------------------------------------------------------------------------- docstrings


def docstring_head(item: type | Callable[..., Any]) -> str:
    """Its docstring up to what a class says of its fields, each paragraph on a line.

    What it raises is no concern of those who call over HTTP.
    """
    text, _, _ = inspect.cleandoc(item.__doc__ or "").partition("\nAttributes:")
    return plain_text(text)


def plain_text(text: str) -> str:
    """Paragraphs, each on a line, in Markdown, which knows single backticks for code."""
    lines = (" ".join(part.replace("``", "`").split()) for part in text.split("\n\n"))
    return "\n\n".join(line for line in lines if line and not line.startswith("Raises "))


def attributes(cls: type) -> dict[str, str]:
    """What a class and its bases say of each field, as a sentence; the others are not there.

    >>> from hybrid_transcribe.types import Options
    >>> attributes(Options)["beam_size"]
    'Hypotheses kept while decoding; 1 is greedy and fastest.'
    """
    mapping: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        mapping |= _own_attributes(base.__doc__ or "")
    return mapping


def _own_attributes(doc: str) -> dict[str, str]:
    _, _, text = inspect.cleandoc(doc).partition("\nAttributes:\n")
    mapping: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        match = _FIELD.match(line)
        if match:
            names = match[1].split(", ")
        for name in names:
            mapping[name] = f"{mapping.get(name, '')} {match[2] if match else line.strip()}"
    return {name: _sentence(plain_text(said)) for name, said in mapping.items()}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


# ------------------------------------------------------------------------------- inside


def _name(name: str) -> str:
    """People know them by shorter names."""
    return _NAMES.get(name, name.removesuffix("View"))


def _describe(schema: Schema, cls: type) -> None:
    if cls is Options:
        schema["properties"]["voices"] = dict(_VOICES)
    schema["title"] = name_of(cls)
    schema["description"] = docstring_head(cls)
    said: dict[str, str] = {}
    for item in (*_DESCRIBED.get(cls, ()), cls):
        said |= attributes(item)
    fields = schema.get("properties", {})
    for name, field in fields.items():
        if name in said:
            field.setdefault("description", said[name])
    if not _is_sent(cls) and (is_dataclass(cls) or issubclass(cls, msgspec.Struct)):
        schema["required"] = [name for name in fields if name not in _omitted(cls)]


def _is_sent(cls: type) -> bool:
    config = getattr(cls, "__struct_config__", None)
    return cls in _SENT or getattr(config, "forbid_unknown_fields", False)


def _omitted(cls: type) -> set[str]:
    """Fields that are not always in an answer."""
    if not issubclass(cls, msgspec.Struct):
        return set()
    return {f.encode_name for f in msgspec.structs.fields(cls) if f.default is msgspec.UNSET}


def _renamed(schema: Any) -> Any:
    """The same with the names of `_name` in its references."""
    if isinstance(schema, dict):
        new = {name: _renamed(value) for name, value in schema.items()}
        if isinstance(new.get("$ref"), str):
            new["$ref"] = _REF + _name(new["$ref"].removeprefix(_REF))
        return new
    return [_renamed(item) for item in schema] if isinstance(schema, list) else schema


def _transcript() -> dict[str, Schema]:
    """The schema of the JSON output, its inner ones beside it."""
    text = json.dumps(transcript_schema())
    inner = {name: _inner(name) for name in json.loads(text)["$defs"]}
    for old, new in inner.items():
        text = text.replace(f'"#/$defs/{old}"', f'"{_REF}{new}"')
    whole: Schema = json.loads(text)
    parts = whole.pop("$defs")
    del whole["$schema"]
    return {"Transcript": whole, **{inner[name]: part for name, part in parts.items()}}


def _inner(name: str) -> str:
    return "Transcript" + "".join(part.capitalize() for part in name.split("_"))
