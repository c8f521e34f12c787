"""How buttons and lamps are wired: pin tables, and the drawings that are made from them."""
