"""What a sync costs, measured; `make bench` runs it. Each measurement has a process of its own."""
