"""Tests of the provider for Azure OpenAI."""
