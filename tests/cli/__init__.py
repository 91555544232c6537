"""The commands over HTTP, run against a service on a loopback port."""
