"""Emergency management (应急管理部门)."""
