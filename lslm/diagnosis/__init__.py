"""Whether an installation can do what it is for: one check a question, each with the mend."""
