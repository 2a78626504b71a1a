"""The command: ``python -m tests.campaigns [NAME] [--count N] [--seed N]``."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import tempfile
import time
from pathlib import Path

import tests.campaigns as package
from tests.campaigns import Campaign


def campaigns() -> dict[str, Campaign]:
    """All campaigns of this folder's modules, by name."""
    every: dict[str, Campaign] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            every.update(getattr(loaded, "CAMPAIGNS", {}))
    return every


def main(arguments: list[str] | None = None) -> int:
    """1 when anything was lost."""
    every = campaigns()
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns")
    parser.add_argument("name", nargs="?", choices=sorted(every))
    parser.add_argument("--count", type=int, help="how often; each campaign has its own default")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if options.name is None:
        for name, campaign in sorted(every.items()):
            print(f"{name:10} {campaign.what} (default: {campaign.count})")
        return 0
    campaign = every[options.name]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        report = campaign.run(Path(folder), options.count or campaign.count, options.seed)
    report.figures["seconds"] = round(time.monotonic() - began)
    print(report.table)
    for loss in report.losses[:50]:
        print("LOST:", loss)
    return 1 if report.losses else 0


if __name__ == "__main__":
    sys.exit(main())
