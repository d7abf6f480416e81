"""`python -m sync_workers.health [URL]`: ask a process on this machine whether it lives.

Without a URL it asks the /healthz of SYNC_WORKERS_HEALTH. Ends with 0 when it does, 1 when it does not.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

LONGEST = 5.0
"""Seconds that an answer may take."""


def main(arguments: list[str]) -> int:
    """Ask, and say what was answered."""
    url = arguments[0] if arguments else _own()
    if not url.startswith("http://"):
        sys.stderr.write("name a page such as http://127.0.0.1:8080/healthz, or set SYNC_WORKERS_HEALTH\n")
        return 1
    try:
        with urllib.request.urlopen(url, timeout=LONGEST) as reply:  # noqa: S310 - http:// alone, see above
            sys.stdout.write(reply.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        sys.stderr.write(error.read().decode(errors="replace") or f"{error.code}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{url} does not answer: {error}\n")
        return 1
    return 0


def _own() -> str:
    host, colon, port = os.environ.get("SYNC_WORKERS_HEALTH", "").rpartition(":")
    everywhere = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - that is where it listens
    return f"http://{everywhere.get(host, host)}:{port}/healthz" if colon else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
