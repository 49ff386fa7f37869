"""What requests hold, one file a family of routes."""
