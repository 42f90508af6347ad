"""How fast casekit is, beside a bare driver that runs the very same statements: ``make bench``."""
