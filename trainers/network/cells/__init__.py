"""The cells: one step of each, the readable reference, and the weights it runs on."""
