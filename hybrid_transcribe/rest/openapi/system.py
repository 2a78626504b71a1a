"""What there is, what is allowed, whether it works, and this document."""

from __future__ import annotations

from hybrid_transcribe import errors
from hybrid_transcribe.rest.openapi.operation import (
    TEXT,
    MediaSpec,
    Operation,
    ParameterSpec,
    ResponseSpec,
)
from hybrid_transcribe.rest.openapi.parts import JSON, json_answer
from hybrid_transcribe.wire import shapes

_GROUP = "system"
_PAGE = {"text/html": MediaSpec(TEXT)}

OPERATIONS = (
    Operation(
        "get",
        "/engines",
        _GROUP,
        "engines",
        "List the engines",
        "What each can do, whether it can run here (and why not), and who gets the audio.",
        answers={200: json_answer("Every engine, the default first.", shapes.EnginesView)},
    ),
    Operation(
        "get",
        "/engines/{engine}/models",
        _GROUP,
        "models",
        "List the models of an engine",
        "With size, published word error rate, expected time on this machine and memory.",
        (
            ParameterSpec("engine", "path", "The engine's name."),
            ParameterSpec(
                "language",
                "query",
                "What is spoken, for `speaks`, `wer_percent` and `recommended`.",
            ),
            ParameterSpec(
                "duration_s",
                "query",
                "How long the recordings are in all, for `expected_s`.",
                {"type": "number", "minimum": 0},
            ),
        ),
        answers={200: json_answer("Its models by name.", shapes.ModelsView)},
        errors=(errors.UnknownEngine, errors.InvalidOption),
    ),
    Operation(
        "get",
        "/limits",
        _GROUP,
        "limits",
        "What a submission may hold",
        answers={200: json_answer("The limits of this server.", shapes.LimitsView)},
    ),
    Operation(
        "get",
        "/health",
        _GROUP,
        "health",
        "Does this process answer?",
        "Without a token the status alone.",
        open=True,
        answers={200: json_answer("It does.", shapes.HealthView)},
    ),
    Operation(
        "get",
        "/health/ready",
        _GROUP,
        "ready",
        "Does it take jobs?",
        "Without a token the status alone.",
        open=True,
        answers={200: json_answer("It does.", shapes.ReadyView)},
    ),
    Operation(
        "get",
        "/metrics",
        _GROUP,
        "metrics",
        "Figures for Prometheus",
        "For whoever shows the token; on a server without one, for its own machine.",
        answers={
            200: ResponseSpec(
                "Figures, in the format that `Accept` prefers.",
                {"text/plain": MediaSpec(TEXT), "application/openmetrics-text": MediaSpec(TEXT)},
            )
        },
    ),
    *(
        Operation(
            method,
            "/openapi.json",
            _GROUP,
            name,
            summary,
            answers={
                200: ResponseSpec(
                    "An OpenAPI 3.1 document.",
                    {JSON: MediaSpec({"type": "object"})} if method == "get" else {},
                    {"ETag": "Of this very text."},
                ),
                304: ResponseSpec("You have it already."),
            },
            open=True,
        )
        for method, name, summary in (
            ("get", "openapi", "This document"),
            ("head", "openapi_head", "Has this document changed?"),
        )
    ),
    *(
        Operation(
            method,
            "/docs",
            _GROUP,
            name,
            summary,
            answers={200: ResponseSpec("The page.", _PAGE if method == "get" else {})},
            open=True,
        )
        for method, name, summary in (
            ("get", "docs", "This document as a page to try it on"),
            ("head", "docs_head", "Is there such a page?"),
        )
    ),
    *(
        Operation(
            method,
            "/docs/{file}",
            _GROUP,
            name,
            summary,
            "",
            (ParameterSpec("file", "path", "Its name."),),
            answers={
                200: ResponseSpec(
                    "The file.",
                    {"*/*": MediaSpec({"type": "string", "format": "binary"})}
                    if method == "get"
                    else {},
                    {"ETag": "Of this very file."},
                ),
                304: ResponseSpec("You have it already."),
            },
            errors=(errors.NotFound,),
            open=True,
        )
        for method, name, summary in (
            ("get", "docs_file", "A part of that page"),
            ("head", "docs_file_head", "Has that part changed?"),
        )
    ),
)
