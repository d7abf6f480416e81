"""States in files: as JSON, and as pickles of the original. Never runs anything that stands in a file."""
