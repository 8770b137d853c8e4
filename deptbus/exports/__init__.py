"""What other systems read: events of the bus in their formats."""
