"""What is normal for one KPI of one shop: score a reading, then learn from it."""
