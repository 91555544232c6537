"""Google's Vertex AI and Cloud Storage as the fine-tuning of Gemini sees them, simulated."""
