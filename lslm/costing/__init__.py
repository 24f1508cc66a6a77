"""What a run will cost on this machine: a short calibration, and arithmetic on what it found."""
