"""The OpenAI door: the service as programs see it that were written for OpenAI's API."""
