"""Where a query goes, and which way of finding out suits some routes; no claims."""
