#!/bin/bash
#SBATCH --job-name=ketasim
#SBATCH --array=0-2
#SBATCH --cpus-per-task=1
#SBATCH --time=1:00:00
#SBATCH --mem=2G
#SBATCH --signal=B:USR1@120
#SBATCH --output=ketasim-%A-%a.log
set -euo pipefail
exec ketasim sweep x --threads "$SLURM_CPUS_PER_TASK" --shard "$SLURM_ARRAY_TASK_ID/3"
