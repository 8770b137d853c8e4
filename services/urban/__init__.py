"""Urban management (城市管理部门)."""
