"""State store, lease, runs and their scripts: the only place that knows Redis keys and Lua."""
