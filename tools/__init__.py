"""What `make` asks besides the usual programs."""
