"""Pictures: one file each; matplotlib is imported here and nowhere else."""
