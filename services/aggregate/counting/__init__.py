"""Inbox entries become responses, receipts and day tallies: decode, judge, tally, count."""
