"""Both services have the protocol's operations, with its signatures and docstrings."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from hybrid_transcribe import RemoteService, Service
from hybrid_transcribe.service_protocol import HostedService

OPERATIONS = [
    name
    for name, value in inspect.getmembers(HostedService)
    if not name.startswith("_") and (callable(value) or isinstance(value, property))
]


def _parameters(function: Any) -> list[tuple[str, Any, Any]]:
    signature = inspect.signature(function)
    return [(p.name, p.kind, p.default) for p in signature.parameters.values()]


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("service", [Service, RemoteService])
def test_operations_are_called_as_the_protocol_says(
    service: type[HostedService], name: str
) -> None:
    """The same parameters, in the same order, with the same defaults."""
    own, agreed = inspect.getattr_static(service, name), inspect.getattr_static(HostedService, name)
    if isinstance(agreed, property):
        assert isinstance(own, property)
    else:
        assert _parameters(own) == _parameters(agreed)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("service", [Service, RemoteService])
def test_operations_are_documented(service: type[HostedService], name: str) -> None:
    """What the protocol says is what ``help`` shows, where a service has no more to say."""
    assert inspect.getdoc(getattr(service, name))


def test_both_services_offer_the_same() -> None:
    """What only one of the two offers is for processes of this machine."""
    local = {name for name in dir(Service) if not name.startswith("_")}
    remote = {name for name in dir(RemoteService) if not name.startswith("_")}
    assert remote == set(OPERATIONS)
    assert local - remote == {"call", "do", "unload_models", "workers"}
