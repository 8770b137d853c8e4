"""People's governments (人民政府)."""
