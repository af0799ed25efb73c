"""What the service does, written against ports alone: it does not know who calls or what keeps the tasks."""
