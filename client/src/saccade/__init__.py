"""Client library of Saccade."""
