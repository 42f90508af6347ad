"""Cases and case types as other tools show them: diagrams, timelines, calendars. Pure: values in, text out."""
