"""What verbs do with a chunk of runs, in this process or in another one.

See `gale.plumbing.batches`: tasks are pickled, and each process opens what they need itself.
"""
