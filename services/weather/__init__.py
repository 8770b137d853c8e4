"""Weather service (气象部门)."""
