"""Against Stripe itself, with a test key (see `make smoke`). Without one nothing here is collected."""
