"""Pages of a static site, its feed and its badge; `operations.site` reads what they show and writes them."""
