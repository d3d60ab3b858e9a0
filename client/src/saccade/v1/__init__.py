"""Generated messages and service stubs of the `saccade.v1` API."""
