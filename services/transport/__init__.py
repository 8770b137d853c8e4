"""Transport department (交通运输部门)."""
