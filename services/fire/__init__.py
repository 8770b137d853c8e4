"""Fire and rescue (消防救援机构)."""
