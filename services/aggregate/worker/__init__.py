"""Celery at work: tasks drain the inbox, refresh the figures and sweep up what no hint told."""
