"""The database with its blobs: rows, the queries beside them, and leases."""
