"""`target-aep mapping`: mapping sets checked, converted, shown, compared with Adobe's."""
