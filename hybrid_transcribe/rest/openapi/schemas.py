"""The schemas of the document, from the types themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import Any

import msgspec

from hybrid_transcribe.messages import MessageInfo
from hybrid_transcribe.outputs.json import schema as transcript_schema
from hybrid_transcribe.rest.openapi import docstrings
from hybrid_transcribe.types import (
    EngineInfo,
    ErrorInfo,
    JobSnapshot,
    ModelAdvice,
    Options,
    Recording,
    RunRecord,
    Segment,
    Word,
)
from hybrid_transcribe.wire import shapes

Schema = dict[str, Any]

_REF = "#/components/schemas/"

#: What is sent and taken, and where else its fields are described.
TYPES: Mapping[type, tuple[type, ...]] = {
    shapes.JobView: (JobSnapshot,),
    shapes.RecordingView: (Recording,),
    shapes.RunView: (RunRecord,),
    shapes.OwnQueue: (),
    shapes.AnonymousQueue: (),
    shapes.AnonymousJob: (JobSnapshot,),
    shapes.SnapshotEvent: (),
    shapes.JobEvent: (JobSnapshot,),
    shapes.SegmentEvent: (),
    shapes.DeletedEvent: (),
    shapes.ModelEvent: (Recording,),
    shapes.WarningEvent: (),
    shapes.EnginesView: (),
    EngineInfo: (),
    shapes.ModelsView: (),
    ModelAdvice: (),
    shapes.LimitsView: (),
    shapes.HealthView: (),
    shapes.ReadyView: (),
    shapes.SessionView: (),
    shapes.ProblemView: (),
    Options: (),
    Segment: (),
    Word: (),
    ErrorInfo: (),
    MessageInfo: (),
}

#: Shorter names than those of the types.
_NAMES = {"EngineInfo": "Engine", "ModelAdvice": "Model"}

#: What people send, where a field may be left out; we leave out none.
_SENT = (Options,)


def ref(cls: type | str) -> Schema:
    """A reference to the schema of a type."""
    return {"$ref": _REF + (cls if isinstance(cls, str) else name_of(cls))}


def name_of(cls: type) -> str:
    """What the document calls a type."""
    return _name(cls.__name__)


def schemas() -> dict[str, Schema]:
    """Every schema by name."""
    _, result = msgspec.json.schema_components(list(TYPES), ref_template=_REF + "{name}")
    by_name = {_name(name): _renamed(schema) for name, schema in result.items()}
    for cls, others in TYPES.items():
        _describe(by_name[name_of(cls)], cls, others)
    return dict(sorted({**by_name, **_transcript()}.items()))


def field_types(cls: type) -> dict[str, Schema]:
    """The schema of each field of a type, with its description and default."""
    _, result = msgspec.json.schema_components([cls], ref_template=_REF + "{name}")
    schema = _renamed(result[cls.__name__])
    _describe(schema, cls, ())
    fields: dict[str, Schema] = schema["properties"]
    return fields


def _name(name: str) -> str:
    """People know them by shorter names."""
    return _NAMES.get(name, name.removesuffix("View"))


def _describe(schema: Schema, cls: type, others: Iterable[type]) -> None:
    schema["title"] = name_of(cls)
    schema["description"] = docstrings.head(cls)
    said: dict[str, str] = {}
    for item in (*others, cls):
        said |= docstrings.attributes(item)
    fields = schema.get("properties", {})
    for name, field in fields.items():
        if name in said:
            field.setdefault("description", said[name])
    if cls not in _SENT and (is_dataclass(cls) or issubclass(cls, msgspec.Struct)):
        schema["required"] = [name for name in fields if name not in _left_out(cls)]


def _left_out(cls: type) -> set[str]:
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
