"""Celery at work: tasks that drain the inbox, refresh the figures and sweep up what no hint told."""
