"""The hooks before a commit are the checks of ``make check``."""

from __future__ import annotations

import os
import subprocess

import yaml

from tests.docs.pages import ROOT


def test_the_hooks_are_those_checks() -> None:
    """The same commands in the same order, none of which is fetched from anywhere."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    # These tests may run under make themselves: an inner one says where it enters and leaves.
    command = ["make", "--no-print-directory", "--dry-run", "--always-make", "check"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    run = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True)
    recipe = run.stdout
    entries = [hook["entry"] for hook in repository["hooks"]]
    assert recipe.splitlines()[-len(entries) :] == entries
