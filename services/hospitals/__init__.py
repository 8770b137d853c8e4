"""Hospitals (医疗机构)."""
