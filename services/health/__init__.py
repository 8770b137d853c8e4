"""Health authority (卫生健康部门)."""
