"""What a process tells of its own work: log lines, counts and traces; ids, and never data."""
