"""Model repositories that are elsewhere: in buckets, and whatever else fsspec can list.

Each has a mirror, a folder of this machine, which the registry takes for a repository. What talks
to a store does so in processes of its own (`__main__`): their memory, their libraries and a
connection that hangs stay out of the serving process. Only `store` imports fsspec.
"""
