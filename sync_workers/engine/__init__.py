"""The pure heart: match, diff, resolve and guard decide what to do; no network, no clock, no log."""
