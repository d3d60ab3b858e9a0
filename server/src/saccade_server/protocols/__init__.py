"""The messages of the protocols of others that this server speaks.

Their declarations are in `proto/`, under the protocols' own names. Packages with the same names may
live in the same process (tritonclient, tensorflow-serving-api, TensorFlow itself), and protobuf's
default pool takes each name once: so each protocol has a pool of its own, and nothing of it is
registered anywhere else.
"""
