"""What the dashboard knows of the bus, kept in a database by a plain consumer, and made anew at any time."""
