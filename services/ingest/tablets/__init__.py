"""Tablets with ODK Collect or KoboCollect: the list of forms, the forms, where answers go."""
