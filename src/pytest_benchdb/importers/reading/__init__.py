"""What every importer needs: bounded files, JSON with the line of an error, values of unknown type, units, machines."""
