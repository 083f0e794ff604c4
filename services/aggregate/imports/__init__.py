"""Files that are imported: read, carried over row by row, and put into the inbox."""
