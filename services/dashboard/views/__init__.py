"""From what is kept to what a page shows. Nothing here writes."""
