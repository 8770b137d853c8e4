"""Districts and counties (区县)."""
