"""How calls come in. A transport frames messages, knows deadlines and metadata, and no more."""
