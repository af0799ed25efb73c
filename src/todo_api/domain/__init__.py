"""The task, its rules, and the ports of the repositories that store it: pure Python, without I/O or a clock."""
