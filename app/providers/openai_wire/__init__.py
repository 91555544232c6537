"""What everybody who speaks OpenAI's wire shares: lines, jobs, events, files, chat, webhooks.

No provider in itself: the folders of the vendors that speak it stand on it.
"""
