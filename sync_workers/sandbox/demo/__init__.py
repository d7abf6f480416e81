"""The demo: everything on one machine, and a script that edits both sides and shows what crosses."""
