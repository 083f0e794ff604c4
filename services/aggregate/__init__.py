"""The way out: the inbox becomes counted tables, and the tables become the read API, the pages and the reports."""
