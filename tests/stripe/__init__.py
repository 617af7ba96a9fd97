"""What we did not write and can be held against: Stripe's own types, its SDK on a bad line, and its command line."""
