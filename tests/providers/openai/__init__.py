"""OpenAI, simulated on loopback."""
