"""``/files``: uploads in pieces (tus 1.0), and a recording's own bytes."""

from __future__ import annotations

from hybrid_transcribe import errors
from hybrid_transcribe.rest.files import protocol
from hybrid_transcribe.rest.openapi.operation import (
    PROBLEM_MEDIA,
    BodySpec,
    Error,
    MediaSpec,
    Operation,
    ParameterSpec,
    ResponseSpec,
)
from hybrid_transcribe.rest.openapi.options import FILE
from hybrid_transcribe.rest.openapi.parts import GONE, JOB_ID, RECORDING_ID, SESSIONS

_GROUP = "uploads"

_VERSION = ParameterSpec(
    "Tus-Resumable",
    "header",
    "The version of the protocol.",
    {"type": "string", "const": protocol.VERSION},
    required=True,
)
_ID = ParameterSpec(
    "upload_id", "path", "The upload: the last part of the `Location` it was given."
)
_SIZE = {"type": "integer", "minimum": 0}

_LENGTH = ParameterSpec("Upload-Length", "header", "Bytes of the whole file.", _SIZE)
_DEFER = ParameterSpec(
    "Upload-Defer-Length", "header", "The length is told later.", {"type": "string", "const": "1"}
)
_METADATA = ParameterSpec(
    "Upload-Metadata",
    "header",
    "Pairs of a name and a value in base64, with commas: `filename` is what the file is called.",
)
_OFFSET = ParameterSpec(
    "Upload-Offset", "header", "Bytes that came before: the piece goes behind them.", _SIZE, True
)
_CHECKSUM = ParameterSpec(
    "Upload-Checksum",
    "header",
    f"What the piece must add up to: one of {', '.join(protocol.CHECKSUMS)}, a space, and the "
    "digest in base64.",
)

_FAR = {
    "Tus-Resumable": "The version of the protocol.",
    "Upload-Offset": "Bytes that have come.",
    "Upload-Expires": "Until when it may go on.",
}
_PIECE = BodySpec("Bytes of the file.", {protocol.PIECE: MediaSpec(FILE)})
_FIRST = BodySpec("Its first bytes, if any.", {protocol.PIECE: MediaSpec(FILE)}, required=False)

_STALE = {412: ResponseSpec("Another version of the protocol.", PROBLEM_MEDIA)}
_DAMAGED = {460: ResponseSpec("The piece came through damaged; send it again.", PROBLEM_MEDIA)}

_ERRORS: tuple[Error, ...] = (
    errors.UploadConflict,
    errors.TooLarge,
    errors.TooSlow,
    errors.DiskFull,
    errors.UnsupportedMedia,
)

_ABOUT = """\
Large files over connections that break: a client asks how much came and goes on from there. Any
tus 1.0 client does all of this by itself; the id is then sent to `POST /jobs` in `upload_ids`."""


def _options(path: str, name: str, parameters: tuple[ParameterSpec, ...]) -> Operation:
    return Operation(
        "options",
        path,
        _GROUP,
        name,
        "What of the protocol there is",
        parameters=parameters,
        answers={
            204: ResponseSpec(
                "It is in the headers.",
                headers={
                    "Tus-Version": "Versions of the protocol.",
                    "Tus-Extension": "Extensions, with commas.",
                    "Tus-Max-Size": "Most bytes of one upload.",
                    "Tus-Checksum-Algorithm": "Algorithms, with commas.",
                },
            )
        },
    )


OPERATIONS = (
    _options("/files", "uploads_options", ()),
    Operation(
        "post",
        "/files",
        _GROUP,
        "create_upload",
        "Begin an upload",
        _ABOUT,
        (_VERSION, _LENGTH, _DEFER, _METADATA, _CHECKSUM),
        _FIRST,
        {
            201: ResponseSpec(
                "It may begin.", headers={"Location": "The upload's address.", **_FAR}
            ),
            **_STALE,
            **_DAMAGED,
        },
        _ERRORS,
    ),
    _options("/files/{upload_id}", "upload_options", (_ID,)),
    Operation(
        "head",
        "/files/{upload_id}",
        _GROUP,
        "upload",
        "How far is an upload?",
        "",
        (_ID, _VERSION),
        answers={
            200: ResponseSpec(
                "So far.",
                headers={
                    **_FAR,
                    "Upload-Length": "Bytes of the whole file, once they were told.",
                    "Upload-Metadata": "As it was sent.",
                },
            ),
            **_STALE,
        },
        errors=(errors.NotFound,),
    ),
    Operation(
        "patch",
        "/files/{upload_id}",
        _GROUP,
        "continue_upload",
        "Send a piece",
        "",
        (_ID, _VERSION, _OFFSET, _LENGTH, _CHECKSUM),
        _PIECE,
        {204: ResponseSpec("It has come.", headers=_FAR), **_STALE, **_DAMAGED},
        (*_ERRORS, errors.NotFound),
    ),
    Operation(
        "delete",
        "/files/{upload_id}",
        _GROUP,
        "delete_upload",
        "Give an upload up",
        "",
        (_ID, _VERSION),
        answers={204: GONE, **_STALE},
        errors=(errors.NotFound, errors.UploadConflict),
    ),
    *(
        Operation(
            method,
            "/jobs/{job_id}/recordings/{recording_id}/audio",
            "results",
            name,
            summary,
            about,
            (
                JOB_ID,
                RECORDING_ID,
                *SESSIONS,
                ParameterSpec("Range", "header", "The part to send, as `bytes=0-65535`."),
                ParameterSpec("If-Range", "header", "The `ETag` that the part must be of."),
            ),
            answers={
                200: ResponseSpec("All of it.", media, {"ETag": "Of this very file."}),
                206: ResponseSpec("The part.", media, {"Content-Range": "Which part it is."}),
                304: ResponseSpec("You have it already."),
                416: ResponseSpec(
                    "The file has no such part.", headers={"Content-Range": "Its length."}
                ),
            },
            errors=(errors.UnknownJob, errors.UnknownRecording, errors.NotFound),
        )
        for method, name, summary, about, media in (
            (
                "get",
                "audio",
                "Listen to a recording",
                "Its own bytes, from any place on, for players.",
                {"*/*": MediaSpec(FILE)},
            ),
            ("head", "audio_head", "How long is the file of a recording?", "", {}),
        )
    ),
)
