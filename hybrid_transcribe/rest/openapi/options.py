"""The fields of a submission: as JSON, and as the text that a form holds."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import msgspec

from hybrid_transcribe.jobs.request import COUNTS, MOST_PRIORITY
from hybrid_transcribe.rest.openapi.operation import parameter
from hybrid_transcribe.rest.openapi.schemas import TEXT, Schema, field_types, ref
from hybrid_transcribe.revision_types import EditOperation
from hybrid_transcribe.types import DEVICES, TASKS, Options

# Several numbers in one field of a form.
_NUMBERS = r"^\s*-?\d+(\.\d+)?\s*(,\s*-?\d+(\.\d+)?\s*)*$"

#: A file of a form. Both words for "bytes": tools know one or the other.
FILE: Schema = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "application/octet-stream",
}

_Device = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(DEVICES)})]
_Priority = Annotated[
    int, msgspec.Meta(extra_json_schema={"minimum": -MOST_PRIORITY, "maximum": MOST_PRIORITY})
]


class RunFields(msgspec.Struct, frozen=True, kw_only=True):
    """How to transcribe, beside the options by themselves.

    Attributes:
        engine: name of an engine, see `/engines`; the server's default where it is left out.
        model: a model of that engine, see `/engines/{engine}/models`.
        device: where it runs; `auto` takes a GPU where one works.
        options: options as an object; those beside it go first.
    """

    engine: str | None = None
    model: str | None = None
    device: _Device | None = None
    options: dict[str, Any] | None = None


class SubmissionFields(RunFields, frozen=True, kw_only=True):
    """A submission.

    Attributes:
        upload_ids: ids of finished uploads, see `/files`.
        source_url: the address of a recording, instead of a file, where the server allows it
            (`allow_source_urls` in `/limits`).
        session_id: the session it belongs to, a secret of yours; a new one is made where it is
            left out.
        voices: people who are recognised by their voices: for each name the id of a finished upload
            with a recording of them alone, see `/files`. In a form also files, in fields called
            `voices[NAME]`, or `voices` where the file is called as the person is.
        priority: higher goes first within a session.
        callback_url: an address that is told when the job has ended, where the server has a
            secret to sign such calls with.
    """

    upload_ids: Annotated[list[str], msgspec.Meta(extra_json_schema={"minItems": 1})] | None = None
    source_url: Annotated[Any, msgspec.Meta(extra_json_schema=TEXT)] = None
    voices: dict[str, str] | None = None
    session_id: str | None = None
    priority: _Priority | None = None
    callback_url: str | None = None


class RefineFields(msgspec.Struct, frozen=True, kw_only=True):
    """Which post-processor is to work on a text, beside its options by themselves.

    Attributes:
        stage: name of a post-processor, see `/postprocessors`.
        options: options as an object; those beside it go first. What they do not name is as the
            recording has it.
    """

    stage: str = ""
    options: dict[str, Any] | None = None


class KeepFields(msgspec.Struct, frozen=True, kw_only=True):
    """Whether to keep a job.

    Attributes:
        keep: false gives it back to the janitor.
    """

    keep: bool = True


class _SignedFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a revision is to bear.

    Attributes:
        author: who makes it, as people should read it.
        label: a name for the revision, to find it again.
    """

    author: str = ""
    label: str = ""


class EditFields(_SignedFields, frozen=True, kw_only=True):
    """An edit of a text.

    Attributes:
        operations: what is to be done, in order.
    """

    operations: list[EditOperation]


class RestoreFields(_SignedFields, frozen=True, kw_only=True):
    """An earlier revision that is to be the current one again.

    Attributes:
        revision: its number.
    """

    revision: Annotated[int, msgspec.Meta(ge=0)]


def edit_schema() -> Schema:
    """An edit, or its operations alone."""
    kinds = [ref(kind) for kind in get_args(EditOperation)]
    return {"anyOf": [{"type": "array", "items": {"anyOf": kinds}}, ref(EditFields)]}


def object_of(fields: Schema, *required: str) -> Schema:
    """An object with these fields."""
    return {"type": "object", "properties": fields, **({"required": required} if required else {})}


def json_options() -> dict[str, Schema]:
    """Every option by name, as JSON has it."""
    result = field_types(Options)
    # No option that is a value: they come as files.
    del result["voices"]
    result["task"]["enum"] = list(TASKS)
    for name in COUNTS:
        for branch in (result[name], *result[name].get("anyOf", ())):
            if branch.get("type") == "integer":
                branch["minimum"] = 1
    return result


def json_fields(cls: type[msgspec.Struct]) -> dict[str, Schema]:
    """The fields of `RunFields` or more, and every option, as JSON has them."""
    fields = _described(cls)
    fields["options"] = {**ref(Options), "description": fields["options"]["description"]}
    return {**fields, **json_options()}


def form_fields(cls: type[msgspec.Struct]) -> dict[str, Schema]:
    """The same as fields of a form."""
    fields = {**_described(cls), **form_options()}
    # In forms they are files.
    fields.pop("upload_ids", None)
    return {name: _json_text(field) for name, field in fields.items()}


def _json_text(field: Schema) -> Schema:
    """An object is written as JSON."""
    if field["type"] != "object":
        return field
    return {"type": "string", "description": f"{field['description']} As one JSON object."}


def form_options() -> dict[str, Schema]:
    """Every option by name, as a field of a form has it."""
    return {name: _as_text(schema) for name, schema in json_options().items()}


def option_parameters(*names: str) -> tuple[Schema, ...]:
    """Some options as parameters of an address."""
    options = form_options()
    return tuple(parameter(n, "query", options[n].pop("description"), options[n]) for n in names)


def _described(cls: type[msgspec.Struct]) -> dict[str, Schema]:
    """Each field's one type: what may be null may as well be left out."""
    return {name: _flat(schema) for name, schema in field_types(cls).items()}


def _flat(schema: Schema) -> Schema:
    (kind,) = (k for k in schema.get("anyOf", [schema]) if k.get("type") != "null")
    fields = {name: value for name, value in kind.items() if name != "default"}
    return {**fields, "description": schema["description"]}


def _as_text(schema: Schema) -> Schema:
    fields = _flat(schema)
    if fields["type"] != "array":
        return {k: fields[k] for k in ("type", "enum", "minimum", "description") if k in fields}
    about = f"{fields['description']} Several with commas."
    is_text = fields["items"].get("type") == "string"
    return {"type": "string", **({} if is_text else {"pattern": _NUMBERS}), "description": about}
