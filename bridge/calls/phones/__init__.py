"""What phones ask of the bridge itself: codes, the spoken menu, lamps."""
