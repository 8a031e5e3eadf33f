"""One run with every measurement, for people; tables of many runs are in `report`."""
