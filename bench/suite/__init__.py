"""What every measurement is made with: bounds and results, pairs, processes, the peers' environment, the report."""
