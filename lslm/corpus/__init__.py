"""Reading documents from files, and cutting the cleaned corpus into parts."""
