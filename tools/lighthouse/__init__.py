"""Lighthouse, with what it asks of npm."""
