"""Made-up respondents, and how they are sent."""
