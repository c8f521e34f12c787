"""The rehearsal: the real hunting on a fake clock, with calls of a day that was or might be."""
