"""A Notion to try things on, and the demo that starts everything on one machine."""
