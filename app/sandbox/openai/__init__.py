"""OpenAI on loopback: files, fine-tuning jobs, models, chat, webhooks."""
