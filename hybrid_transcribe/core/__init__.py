"""What every folder of the package uses: names, languages, clocks, child processes, columns."""
