"""Who may see the dashboard and act through it: people and roles, sign-on, sessions, and the guard before it all."""
