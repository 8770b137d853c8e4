"""Centre for disease control (疾病预防控制机构)."""
