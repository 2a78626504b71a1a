"""The files in a state folder: uploads, those in pieces, and those that nobody claims.

A file of ours is known by its name alone, 128 random bits and an extension. What has another
name is somebody else's and is left alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Container, Iterator
from pathlib import Path

#: Folders below the state folder.
UPLOADS, PARTIAL, UNCLAIMED = "uploads", "partial", "unclaimed"

#: Names of stored uploads (see `names.new_id`), and of uploads in pieces with their notes.
STORED_NAME = re.compile(r"[0-9a-f]{32}(\.\w+)?")

#: How long an upload stays after no job claimed it, in seconds: a week to notice and restore a
#: backup of the journal.
UNCLAIMED_KEPT_S = 7 * 86400.0

#: An upload in pieces goes so much later (s) than its own time allows: where a server runs, that
#: one has looked before.
PARTIAL_MARGIN_S = 3600.0

#: What we put into a state folder, beside the files of SQLite.
_OUR_NAMES = re.compile(rf"lock|journal\.db.*|{UPLOADS}|{PARTIAL}|{UNCLAIMED}")


def make_private(folder: Path) -> None:
    """Close a state folder to other users, whatever was there before.

    The folder itself keeps its mode where people have files of their own in it; ours below it
    are closed all the same. Raises OSError.
    """
    if all(_OUR_NAMES.fullmatch(path.name) for path in folder.iterdir()):
        _set_mode(folder, 0o700)
    for name in (UPLOADS, PARTIAL, UNCLAIMED):
        inner = folder / name
        if name == UPLOADS:
            inner.mkdir(mode=0o700, exist_ok=True)
        if inner.is_dir() and not inner.is_symlink():
            _set_mode(inner, 0o700)
            for path in files_in(inner):
                _set_mode(path, 0o600)
    for path in (*folder.glob("journal.db*"), folder / "lock"):
        if path.is_file():
            _set_mode(path, 0o600)


def _set_mode(path: Path, mode: int) -> None:
    """Links keep what they point to as it is, and so does what is not this user's."""
    with contextlib.suppress(PermissionError):
        if not path.is_symlink() and path.stat().st_mode & 0o777 != mode:
            path.chmod(mode)


def files_in(folder: Path) -> Iterator[Path]:
    """Files of ours, by their names; none where there is no such folder."""
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if STORED_NAME.fullmatch(path.name) and (path.is_symlink() or not path.is_dir()):
                yield path


def put_aside(folder: Path, claimed: Container[str]) -> None:
    """Move uploads whose names are not claimed out of the way. Those that cannot move stay."""
    aside = folder / UNCLAIMED
    for path in files_in(folder / UPLOADS):
        if path.name not in claimed:
            with contextlib.suppress(OSError):
                aside.mkdir(mode=0o700, exist_ok=True)
                if not path.is_symlink():
                    # Its time begins now.
                    os.utime(path)
                path.replace(aside / path.name)


def reclaim(folder: Path, name: str) -> bool:
    """Bring an upload back that had been put aside. False when it is not there."""
    aside = folder / UNCLAIMED / name
    if not STORED_NAME.fullmatch(name) or not aside.exists():
        return False
    with contextlib.suppress(OSError):
        aside.replace(folder / UPLOADS / name)
        return True
    return False


def expire(folder: Path, upload_idle_s: float) -> None:
    """Delete what nobody claimed in time, and uploads in pieces that nobody continued."""
    now = time.time()
    for path in files_in(folder / UNCLAIMED):
        _delete_if_older(path, now - UNCLAIMED_KEPT_S)
    partial = folder / PARTIAL
    for inner in (partial, partial / "hud"):
        for path in files_in(inner):
            if path.suffix in ("", ".new"):
                _delete_partial(path, now - upload_idle_s - PARTIAL_MARGIN_S)
            elif not path.with_suffix("").exists():
                # A note without its bytes.
                _delete_if_older(path, now - upload_idle_s - PARTIAL_MARGIN_S)


def _delete_if_older(path: Path, wall_s: float) -> bool:
    with contextlib.suppress(OSError):
        if path.lstat().st_mtime < wall_s:
            path.unlink()
            return True
    return False


def _delete_partial(path: Path, wall_s: float) -> None:
    if _delete_if_older(path, wall_s):
        with contextlib.suppress(OSError):
            path.with_name(f"{path.name}.json").unlink(missing_ok=True)


def link_or_copy(source: Path, target: Path) -> None:
    """The same file at a second place, whole or not at all. Raises OSError."""
    if target.exists():
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        # FAT has no links, and two disks share none.
        draft = target.with_name(f"{target.name}.new")
        shutil.copyfile(source, draft, follow_symlinks=False)
        draft.replace(target)
