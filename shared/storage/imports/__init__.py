"""Files that are imported: in pieces until they are read, with a report of what was refused."""
