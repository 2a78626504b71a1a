"""Writes ``messages.d.ts``: the types of what panel and kernel say to each other, for ``tsc``.

``python write_types.py`` derives them from `hybrid_transcribe.hud.messages`. The file is not
committed: `make types` writes it anew each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec.inspect as inspect

from hybrid_transcribe.hud import messages

TARGET = Path(__file__).with_name("messages.d.ts")

_PLAIN: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    inspect.AnyType: "unknown",
}


def written(info: Any) -> str:
    """A type as TypeScript."""
    match info:
        case inspect.StructType() | inspect.DataclassType():
            return str(info.cls.__name__)
        case inspect.UnionType():
            return " | ".join(map(written, info.types))
        case inspect.VarTupleType() | inspect.ListType():
            return f"Array<{written(info.item_type)}>"
        case inspect.DictType():
            return f"Record<string, {written(info.value_type)}>"
        case inspect.EnumType():
            return " | ".join(f'"{item.value}"' for item in info.cls)
    return _PLAIN[type(info)]


def declaration(info: Any, is_answer: bool) -> str:
    """A struct or dataclass as an interface; the panel may leave out what has a default."""
    tag = getattr(info, "tag", None)
    lines = [f'  type: "{tag}";'] if tag else []
    for field in info.fields:
        mark = "" if is_answer or field.required else "?"
        lines.append(f"  {field.encode_name}{mark}: {written(field.type)};")
    return "\n".join([f"export interface {info.cls.__name__} {{", *lines, "}"])


def structs(info: Any) -> Iterator[Any]:
    """Every struct and dataclass in a type, those within them too."""
    if isinstance(info, inspect.StructType | inspect.DataclassType):
        yield info
        for field in info.fields:
            yield from structs(field.type)
    for inner in getattr(info, "types", ()):
        yield from structs(inner)
    for name in ("item_type", "value_type"):
        if hasattr(info, name):
            yield from structs(getattr(info, name))


def declarations() -> Iterator[str]:
    """All messages, both ways, and the two unions of them."""
    for name in ("FromPanel", "FromKernel"):
        union = getattr(messages, name)
        members = get_args(union)
        by_name = {
            item.cls.__name__: item
            for info in inspect.multi_type_info(members)
            for item in structs(info)
        }
        for item in by_name.values():
            yield declaration(item, is_answer=name == "FromKernel")
        yield f"export type {name} = {' | '.join(cls.__name__ for cls in members)};"


if __name__ == "__main__":
    TARGET.write_text("\n\n".join(declarations()) + "\n", encoding="utf-8")
