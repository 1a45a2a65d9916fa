"""What a sweep file says, checked as a whole, each mistake in one line."""
