"""gale for a laboratory's network: a page, an API, and a folder that is watched.

`app` is the service: its routes, behind `guard`, which decides who may ask. `uploads` receives
files, `store` keeps jobs and results on disk, `dispatch` hands runs to the worker processes of
`pool`, and `reading` is what these do. `answers`, `tables`, `problems`, `metrics` and `openapi` say
what comes back. `running` is the server around the service. `watching` reads a folder instead, with
`watched` as its memory and `posting` to tell others.
"""
