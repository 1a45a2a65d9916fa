"""One session of a sweep: preparation, scheduling, the coordinator and its fleet."""
