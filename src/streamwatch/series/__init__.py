"""One series of numbers over time, judged row by row; what ``streamwatch detect`` runs."""
