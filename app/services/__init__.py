"""Use cases asked for by a person: one method, one transaction."""
