"""``/files``: uploads in pieces (tus 1.0), and a recording's own bytes."""

from __future__ import annotations

from hybrid_transcribe import errors
from hybrid_transcribe.rest.files import protocol
from hybrid_transcribe.rest.openapi.operation import (
    PROBLEM_MEDIA,
    Answer,
    Body,
    Error,
    Media,
    Operation,
    Parameter,
)
from hybrid_transcribe.rest.openapi.options import FILE
from hybrid_transcribe.rest.openapi.parts import GONE, JOB_ID, RECORDING_ID, SESSIONS

_GROUP = "uploads"

_VERSION = Parameter(
    "Tus-Resumable",
    "header",
    "The version of the protocol.",
    {"type": "string", "const": protocol.VERSION},
    required=True,
)
_ID = Parameter("upload_id", "path", "The upload: the last part of the `Location` it was given.")
_SIZE = {"type": "integer", "minimum": 0}

_LENGTH = Parameter("Upload-Length", "header", "Bytes of the whole file.", _SIZE)
_DEFER = Parameter(
    "Upload-Defer-Length", "header", "The length is told later.", {"type": "string", "const": "1"}
)
_METADATA = Parameter(
    "Upload-Metadata",
    "header",
    "Pairs of a name and a value in base64, with commas: `filename` is what the file is called.",
)
_OFFSET = Parameter(
    "Upload-Offset", "header", "Bytes that came before: the piece goes behind them.", _SIZE, True
)
_CHECKSUM = Parameter(
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
_PIECE = Body("Bytes of the file.", {protocol.PIECE: Media(FILE)})
_FIRST = Body("Its first bytes, if any.", {protocol.PIECE: Media(FILE)}, required=False)

_STALE = {412: Answer("Another version of the protocol.", PROBLEM_MEDIA)}
_DAMAGED = {460: Answer("The piece came through damaged; send it again.", PROBLEM_MEDIA)}

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


def _options(path: str, name: str, parameters: tuple[Parameter, ...]) -> Operation:
    return Operation(
        "options",
        path,
        _GROUP,
        name,
        "What of the protocol there is",
        parameters=parameters,
        answers={
            204: Answer(
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
            201: Answer("It may begin.", headers={"Location": "The upload's address.", **_FAR}),
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
            200: Answer(
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
        {204: Answer("It has come.", headers=_FAR), **_STALE, **_DAMAGED},
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
                Parameter("Range", "header", "The part to send, as `bytes=0-65535`."),
                Parameter("If-Range", "header", "The `ETag` that the part must be of."),
            ),
            answers={
                200: Answer("All of it.", media, {"ETag": "Of this very file."}),
                206: Answer("The part.", media, {"Content-Range": "Which part it is."}),
                304: Answer("You have it already."),
                416: Answer("The file has no such part.", headers={"Content-Range": "Its length."}),
            },
            errors=(errors.UnknownJob, errors.UnknownRecording, errors.NotFound),
        )
        for method, name, summary, about, media in (
            (
                "get",
                "audio",
                "Listen to a recording",
                "Its own bytes, from any place on, for players.",
                {"*/*": Media(FILE)},
            ),
            ("head", "audio_head", "How long is the file of a recording?", "", {}),
        )
    ),
)
