"""Answers from base and tuned models: a worker process, and the clients that speak to it."""
