"""Exercise time: a clock that is a topic, an importer, simulated desks, and what plays them."""
