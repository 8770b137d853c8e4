"""Ecology and environment (生态环境部门)."""
