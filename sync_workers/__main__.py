"""`python -m sync_workers` is the command `sync-workers`."""

from sync_workers.cli import main

main()
