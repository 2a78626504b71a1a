"""The fields of a submission: as JSON, and as the text that a form holds."""

from __future__ import annotations

from typing import Any

from hybrid_transcribe.jobs.request import COUNTS, MOST_PRIORITY
from hybrid_transcribe.rest.openapi.schemas import Schema, field_types, ref
from hybrid_transcribe.types import DEVICES, TASKS, Options

# Several numbers in one field of a form.
_NUMBERS = r"^\s*-?\d+(\.\d+)?\s*(,\s*-?\d+(\.\d+)?\s*)*$"

#: A file of a form. Both words for "bytes": tools know one or the other.
FILE: Schema = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "application/octet-stream",
}

#: How something is transcribed, beside the options.
ENGINE: Schema = {
    "type": "string",
    "description": "Name of an engine, see `/engines`; the server's default where it is left out.",
}
MODEL: Schema = {
    "type": "string",
    "description": "A model of that engine, see `/engines/{engine}/models`.",
}
DEVICE: Schema = {
    "type": "string",
    "enum": list(DEVICES),
    "description": "Where it runs; `auto` takes a GPU where one works.",
}


def json_options() -> dict[str, Schema]:
    """Every option by name, as JSON has it."""
    result = field_types(Options)
    result["task"]["enum"] = list(TASKS)
    for name in COUNTS:
        _bound(result[name], 1)
    return result


def _bound(schema: Schema, least: int) -> None:
    """Say the least whole number that is taken, in whichever branch allows one."""
    for branch in (schema, *schema.get("anyOf", ())):
        if branch.get("type") == "integer":
            branch["minimum"] = least


def form_options() -> dict[str, Schema]:
    """Every option by name, as a field of a form has it."""
    return {name: _as_text(schema) for name, schema in json_options().items()}


def run_options(options: dict[str, Schema], together: Schema) -> dict[str, Schema]:
    """Engine, model, device, and the options both by themselves and all ``together``."""
    return {"engine": ENGINE, "model": MODEL, "device": DEVICE, **options, "options": together}


def json_run_options() -> dict[str, Schema]:
    """How to transcribe, as fields of JSON."""
    about = {"description": "Options as an object; those beside it go first."}
    return run_options(json_options(), {**ref(Options), **about})


def form_run_options() -> dict[str, Schema]:
    """How to transcribe, as fields of a form."""
    about = "Options as one JSON object; those beside it go first."
    return run_options(form_options(), {"type": "string", "description": about})


def submission(chosen: dict[str, Schema]) -> dict[str, Schema]:
    """The fields of a submission, but for its recordings; ``chosen`` is how to transcribe."""
    return {
        "session_id": {
            "type": "string",
            "description": "The session it belongs to, a secret of yours; a new one is made "
            "where it is left out.",
        },
        **chosen,
        "priority": {
            "type": "integer",
            "minimum": -MOST_PRIORITY,
            "maximum": MOST_PRIORITY,
            "description": "Higher goes first within a session.",
        },
        "callback_url": {
            "type": "string",
            "description": "An address that is told when the job has ended, where the server has "
            "a secret to sign such calls with.",
        },
        "source_url": {
            "type": "string",
            "description": "The address of a recording, instead of a file, where the server "
            "allows it (`allow_source_urls` in `/limits`).",
        },
    }


def _as_text(schema: Schema) -> Schema:
    kinds = schema.get("anyOf", [schema])
    (kind,) = (item for item in kinds if item.get("type") != "null")
    about = {"description": schema["description"]}
    if kind["type"] == "array" and kind["items"].get("type") == "string":
        return {"type": "string", **_more(about, "Several with commas.")}
    if kind["type"] == "array":
        return {"type": "string", "pattern": _NUMBERS, **_more(about, "Several with commas.")}
    kept: dict[str, Any] = {
        name: kind[name] for name in ("type", "enum", "minimum") if name in kind
    }
    return {**kept, **about}


def _more(about: Schema, text: str) -> Schema:
    return {"description": f"{about['description']} {text}"}
