"""Run a command of gale on workers that a cluster's queue starts, as long as the command runs.

    pip install 'gale-ms[dask]' dask-jobqueue
    python on_workers.py --jobs 50 gale predict campaign --model model.onnx -o predictions.parquet

Each job is one worker with one core; --queue names another one of dask-jobqueue's kinds of cluster
(PBSCluster, SGECluster, LSFCluster, HTCondorCluster; local.LocalCluster needs no queue). What else
a job needs (account, partition) goes into the file of settings of dask-jobqueue.
"""

import argparse
import subprocess
import sys
from importlib import import_module

KEEPING_MEMORY = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
"""Freed memory that a worker keeps: by default Dask lets it give all back, which takes as long as
the work itself."""


def main() -> int:
    """Start workers, run the command with their scheduler's address, end the workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--queue", default="SLURMCluster")
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--hours", type=int, default=8)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    place, _, kind = f"dask_jobqueue.{asked.queue}".rpartition(".")
    cluster_of = getattr(import_module(place), kind)
    limits = {"cores": 1, "processes": 1, "memory": asked.memory}
    if kind != "LocalCluster":  # whose jobs are no scripts
        limits["walltime"] = f"{asked.hours}:00:00"
        limits["job_script_prologue"] = [f"export {name}={2**25}" for name in KEEPING_MEMORY]
    with cluster_of(**limits) as cluster:
        cluster.scale(jobs=asked.jobs)
        words = [*asked.command, "--dask", cluster.scheduler_address]
        return subprocess.run(words, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
