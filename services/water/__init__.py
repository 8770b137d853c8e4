"""Water resources (水利部门)."""
