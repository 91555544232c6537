"""One suite for all providers: what the port promises, asked of each over its simulator."""
