"""The commands, by Typer."""
