"""From verdicts to incidents: when to open, update and close one."""
