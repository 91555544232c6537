"""The OpenAI door, spoken to by OpenAI's own SDK over a real loopback server."""
