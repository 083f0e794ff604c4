"""From the records of other systems to submissions: which field of theirs is which of ours."""
