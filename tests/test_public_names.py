"""What ``import hybrid_transcribe`` offers, no more and no less."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

import hybrid_transcribe

PUBLIC: list[str] = getattr(hybrid_transcribe, "__all__", [])


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_explains_itself(name: str) -> None:
    """Each name of ``__all__`` can be had and has a docstring of its own."""
    result = getattr(hybrid_transcribe, name)
    if name.startswith("__"):
        return
    described = result if inspect.isroutine(result) or inspect.isclass(result) else type(result)
    words = vars(described).get("__doc__") or getattr(result, "__doc__", None) or ""

    assert words.strip(), f"{name} has no docstring"
    assert not words.startswith(f"{name}("), f"{name} has only the docstring dataclasses make"


def test_there_are_public_names() -> None:
    """The package says what it offers."""
    assert {"__version__", "transcribe"} <= set(PUBLIC)


def test_public_names_are_sorted() -> None:
    """Constants, classes, then functions, each by name, as the linter has it."""

    def order(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert list(PUBLIC) == sorted(set(PUBLIC), key=order)


def test_no_name_is_public_by_accident() -> None:
    """Whatever is listed or loaded on demand is in ``__all__``, or is a module."""
    reachable = {
        name
        for name in {*dir(hybrid_transcribe), *hybrid_transcribe._HOMES}
        if not name.startswith("_") and not isinstance(getattr(hybrid_transcribe, name), ModuleType)
    }

    assert reachable <= set(PUBLIC), sorted(reachable - set(PUBLIC))


def test_tab_completion_knows_every_public_name() -> None:
    """``dir()`` lists what has not been loaded yet, too."""
    assert set(PUBLIC) <= set(dir(hybrid_transcribe))


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Names loaded on demand fail as other names do."""
    with pytest.raises(AttributeError, match="no_such_name"):
        hybrid_transcribe.no_such_name  # noqa: B018
