"""The mistakes that people make with what streamwatch stands on, found and explained."""
