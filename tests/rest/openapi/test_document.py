"""The document says what the code does, and the code what the document says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from http import HTTPStatus
from typing import Any

import jsonschema
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from hybrid_transcribe import errors
from hybrid_transcribe.rest.openapi.document import text
from hybrid_transcribe.rest.openapi.operation import Operation
from hybrid_transcribe.rest.openapi.schemas import attributes
from hybrid_transcribe.rest.routes import OPERATIONS, TABLE
from hybrid_transcribe.types import Options
from tests.rest.conftest import OpenSite, Site

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")

DOCUMENT = json.loads(text("/user/ana/hybrid-transcribe"))


def addresses(pattern: str) -> Iterator[str]:
    """Every address that a route's pattern stands for, with ``{}`` for what is free.

    >>> sorted(addresses(r"/a/([^/]+)(?:/b/([^/]+))?/(c|d)"))
    ['/a/{}/b/{}/c', '/a/{}/b/{}/d', '/a/{}/c', '/a/{}/d']
    """
    if optional := re.search(r"\(\?:((?:[^()]|\([^()]*\))*)\)\?", pattern):
        for middle in ("", optional[1]):
            yield from addresses(pattern[: optional.start()] + middle + pattern[optional.end() :])
    elif choice := re.search(r"\((\w+(?:\|\w+)+)\)", pattern):
        for word in choice[1].split("|"):
            yield from addresses(pattern[: choice.start()] + word + pattern[choice.end() :])
    else:
        free = pattern.replace("([^/]+)", "{}").replace("(.+)", "{}").replace("/.*", "/{}")
        yield free.removesuffix("/?").replace("\\", "")


def routed() -> set[tuple[str, str]]:
    """Every method of every address that a door answers."""
    return {
        (method, address)
        for pattern, door in TABLE
        for address in addresses(pattern)
        for method in METHODS
        if hasattr(door, method)
    }


def test_every_address_is_described_and_every_description_true() -> None:
    """Nothing that is served is missing, and nothing is described that is not there."""
    described = {(item.method, re.sub(r"\{\w+\}", "{}", item.path)) for item in OPERATIONS}

    assert described == routed()


def test_names_are_unique() -> None:
    """Generated clients make functions of them."""
    names = [item.name for item in OPERATIONS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_parameters_of_a_path_are_described(one: Operation) -> None:
    """Each once, and no others."""
    named = [p["name"] for p in one.parameters if p["in"] == "path"]

    assert named == re.findall(r"\{(\w+)\}", one.path)


def test_it_is_openapi() -> None:
    """The document satisfies the schema of OpenAPI 3.1, and its references lead somewhere."""
    jsonschema.Draft202012Validator(OPENAPI_31).validate(DOCUMENT)
    for reference in set(references(DOCUMENT)):
        here: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            here = here[part]


def references(node: Any) -> Iterator[str]:
    """Every ``$ref`` below."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_schemas_are_schemas(name: str) -> None:
    """Each is one of JSON Schema 2020-12."""
    jsonschema.Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_every_option_is_described() -> None:
    """In the form, in JSON and by itself: with a type, and with its line of the docstring."""
    said = attributes(Options)
    body = DOCUMENT["paths"]["/jobs"]["post"]["requestBody"]["content"]
    for result in (
        body["multipart/form-data"]["schema"]["properties"],
        body["application/json"]["schema"]["properties"],
        DOCUMENT["components"]["schemas"]["Options"]["properties"],
    ):
        for option in fields(Options):
            field = result[option.name]
            if option.name == "voices":
                # They come as files: see the next test.
                continue
            assert said[option.name] in field["description"]
            assert "type" in field or "anyOf" in field


def test_every_error_is_told_with_its_status() -> None:
    """All that a submission may raise, as a problem."""
    responses = DOCUMENT["paths"]["/jobs"]["post"]["responses"]
    assert errors.TooLarge.code in responses["413"]["description"]
    assert list(responses["401"]["content"]) == ["application/problem+json"]


def examples(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every schema with each of its examples."""
    if isinstance(node, dict):
        for example in node.get("examples", {}).values() if "schema" in node else ():
            yield node["schema"], example["value"]
        for value in node.values():
            yield from examples(value)


def test_examples_are_of_their_schema() -> None:
    """What people copy works."""
    items = list(examples(DOCUMENT["paths"]))
    for schema, example in items:
        whole = {**schema, "components": DOCUMENT["components"]}
        jsonschema.Draft202012Validator(whole).validate(example)
    assert len(items) > 5


def test_it_is_served_to_everybody(site: Site) -> None:
    """Without a token, for it holds no secret; but not under a name that is not ours."""
    with site.client(Accept="*/*") as client:
        answer = client.get("/openapi.json")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["servers"] == [{"url": "/"}]
        assert site.server.token not in answer.text
        assert client.head("/openapi.json").status_code == HTTPStatus.OK
        same = client.get("/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
        assert same.status_code == HTTPStatus.NOT_MODIFIED
        evil = client.get("/openapi.json", headers={"Host": "evil.com"})
        assert evil.status_code == HTTPStatus.FORBIDDEN


def test_a_server_without_token_asks_for_none(open_site: OpenSite) -> None:
    """Its document knows no way to show one."""
    with open_site(open_to_all=True).client() as client:
        result = client.get("/openapi.json").json()
    assert result["security"] == []
    assert "securitySchemes" not in result["components"]


@pytest.mark.parametrize("path", ["/nothing", "/jobs/a/b/c", "/docs/..%2f..%2fdoor.py", "/docs/x"])
def test_what_is_not_there_is_a_problem(site: Site, path: str) -> None:
    """404 in the same form as every other error."""
    with site.client() as client:
        answer = client.get(path)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/jobs", "/queues", "/limits", "/docs"])
def test_what_cannot_be_done_is_a_problem(site: Site, path: str) -> None:
    """405 says what can be done instead."""
    with site.client() as client:
        answer = client.patch(path)
    assert answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    assert answer.headers["content-type"] == "application/problem+json"
    offered = answer.headers["allow"].split(", ")
    assert set(offered) == {m.upper() for m, address in routed() if address == path}
