"""Two-way sync between Notion and other services."""
