"""Adopting models that were trained elsewhere: any image classifier becomes an artifact.

Nothing about a stranger's model is taken for granted: what its file says is read without running
it, what it does is found out by running it on pictures, and what neither tells must be said.
`adopting.adopt` does it, `config.AdoptionConfig` is what is known.
"""
