"""The APIs: a message in, a message out; no transport, no threads."""
