"""The way out: the inbox becomes counted tables, and these the read API and the pages."""
