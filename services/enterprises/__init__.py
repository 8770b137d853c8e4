"""Enterprises that make, store or use dangerous chemicals (危险化学品企业)."""
