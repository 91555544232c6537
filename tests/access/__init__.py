"""Keys, projects, roles, and what they keep apart."""
