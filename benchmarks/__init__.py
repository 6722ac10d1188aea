"""What gale measures of itself; README.md says which command makes which figure.

Run every benchmark from the root of the repository: ``python -m benchmarks.ROOM.NAME``.
"""
