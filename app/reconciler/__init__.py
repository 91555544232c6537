"""What time asks for: chores that bring every job's observed state to the desired one."""
