"""``python -m tests.benchmarks [name…]``: run the benchmarks and print their tables."""

from __future__ import annotations

import os
import platform
import sys

from tests.benchmarks import overheads, product, rest

ENTRIES = {
    "product": product.main,
    "import": overheads.import_time,
    "submit": overheads.submit_latency,
    "http-submit": rest.submit_latency,
    "queue": rest.long_queue,
    "events": rest.many_listeners,
    "upload": rest.large_upload,
}


def main() -> None:
    """Run those named, or all."""
    chosen = sys.argv[1:] or list(ENTRIES)
    unknown = sorted(set(chosen) - set(ENTRIES))
    if unknown:
        raise SystemExit(f"No benchmark {unknown[0]!r}; choose from: {', '.join(ENTRIES)}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n")
    for name in chosen:
        print(ENTRIES[name](), flush=True)


main()
