"""The parts of compare and counts."""
