"""Gateways: what a chat service sends becomes events, and messages become what it understands."""
