"""Tests of the providers, each against its own simulator."""
