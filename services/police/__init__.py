"""Public security (公安机关)."""
