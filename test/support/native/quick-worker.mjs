// Ends at once, by itself.
