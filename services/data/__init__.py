"""Data authority (数据管理部门)."""
