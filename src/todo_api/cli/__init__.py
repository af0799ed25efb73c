"""What `todo-api` can do: one module for each command, so that each loads no more than it needs."""
