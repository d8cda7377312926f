"""Pictures of finished and running sweeps, drawn from records alone."""
