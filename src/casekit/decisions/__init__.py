"""Pure decisions: conditions, the machine, clocks, totals, requirements, and why not. Nothing here touches the world."""
