"""What the analytic and the numerical half share: errors, argument trees, progress bars."""
