"""Chats: one dialogue for WhatsApp, Telegram and SMS, which ends in the same inbox as all others.

`dialogue` is a pure machine: state and event in, state and messages out. A gateway turns what its
service sends into events, and messages into what its service understands; `conversations` keeps the
state between two messages.
"""
