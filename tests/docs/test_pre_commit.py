"""The hooks before a commit are the checks of ``make check``."""

from __future__ import annotations

import subprocess

import yaml

from tests.docs.pages import ROOT


def test_the_hooks_are_those_checks() -> None:
    """The same commands in the same order, none of which is fetched from anywhere."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    command = ["make", "--dry-run", "--always-make", "check"]
    recipe = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    entries = [hook["entry"] for hook in repository["hooks"]]
    assert recipe.splitlines()[-len(entries) :] == entries
