"""The commands of `todo-api`: one module each, so that a command only imports what it needs."""
