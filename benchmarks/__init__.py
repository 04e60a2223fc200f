"""How fast the market is, beside a ceiling measured in the same run (`make bench`; docs/performance.md tells the story)."""
