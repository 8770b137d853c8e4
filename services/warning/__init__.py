"""The warning release centre (预警信息发布中心)."""
