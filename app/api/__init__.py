"""The REST API: shapes on top, handlers of a few lines below."""
