"""The HTTP side: routes, answers, errors."""
