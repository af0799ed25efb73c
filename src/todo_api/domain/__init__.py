"""The task, its rules and the port that keeps it: pure Python, no input or output, no clock."""
