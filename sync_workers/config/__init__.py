"""The task file: one TOML file that names connections, tasks and modules with tasks.

`load` gives its values, or all of its problems at once.
"""

from sync_workers.config.read import load, load_for, read
from sync_workers.config.task_file import ConnectionConfig, SideConfig, TaskConfig, TaskFile

__all__ = ["ConnectionConfig", "SideConfig", "TaskConfig", "TaskFile", "load", "load_for", "read"]
