"""Results in, figures out: matplotlib pictures for pages, reports and README."""
