"""What a run leaves behind: labelled datasets, tables, folders."""
