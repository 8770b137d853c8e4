"""deptbus: an event-driven bus on which government departments work together."""
